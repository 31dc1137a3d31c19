import type { Diagram, Lane, LaneEvent } from '../../src/diagram/model.js';

/** A lane with defaults. */
export function lane(name: string, rest: Partial<Lane> = {}): Lane {
  return {
    name,
    kind: 'user',
    direction: undefined,
    handle: undefined,
    under: undefined,
    events: [],
    spans: [],
    subscriptions: [],
    ...rest,
  };
}

/** A diagram of lanes. */
export function diagram(lanes: readonly Lane[], rest: Partial<Diagram> = {}): Diagram {
  return {
    title: 'A title',
    sentence: 'What there is to see.',
    lanes,
    legend: [],
    length: 10,
    ...rest,
  };
}

/** A value of the user. */
export function value(at: number, symbol: string | undefined, label = symbol ?? ''): LaneEvent {
  return { kind: 'value', at, symbol, label };
}

/** A connection whose stream 7 is read late, which pauses it; stream 8 waits for a minute. */
export const late: Diagram = diagram(
  [
    lane('wire', {
      kind: 'connection',
      direction: 'in',
      events: [
        { kind: 'frame', at: 1, symbol: 'a', label: '7: "a"', handle: 7, bytes: 1 },
        { kind: 'frame', at: 2, symbol: 'p', label: '8: "p"', handle: 8, bytes: 1 },
        { kind: 'close', at: 4, symbol: 'c', label: '7: close', handle: 7 },
      ],
      spans: [
        { kind: 'paused', label: 'paused', from: 2, to: 60_004 },
        { kind: 'stalled', label: 'stalled', from: 60_004, to: undefined },
      ],
    }),
    lane('seven', {
      kind: 'stream',
      direction: 'in',
      handle: 7,
      under: 'wire',
      events: [
        { kind: 'chunk', at: 60_006, symbol: 'A', label: '"a"', bytes: 1 },
        { kind: 'complete', at: 60_006, label: 'complete' },
      ],
      subscriptions: [{ from: 60_006, to: undefined }],
    }),
    lane('eight', {
      kind: 'stream',
      direction: 'in',
      handle: 8,
      under: 'wire',
      events: [{ kind: 'error', at: 60_006, symbol: '#', label: 'STALLED' }],
    }),
  ],
  {
    title: 'Late',
    sentence: 'Stream 7 is read late.',
    length: 60_010,
    legend: [
      { symbol: 'a', label: '7: "a"' },
      { symbol: 'p', label: '8: "p"' },
      { symbol: 'c', label: '7: close' },
      { symbol: 'A', label: '"a"' },
      { symbol: '#', label: 'STALLED' },
    ],
  },
);

/** One request and its answers. */
export const exchange: Diagram = diagram(
  [
    lane('target', {
      kind: 'handle',
      direction: 'in',
      handle: 1,
      events: [
        { kind: 'packet', at: 1, symbol: 'A', label: 'ACK', type: 'ACK', bytes: 2 },
        { kind: 'packet', at: 3, symbol: 'R', label: 'REP "OPTIONS ;\\n"', type: 'REP', bytes: 12 },
      ],
    }),
    lane('initiator', {
      kind: 'handle',
      direction: 'out',
      handle: 1,
      events: [
        {
          kind: 'packet',
          at: 0,
          symbol: 'Q',
          label: 'REQ "SERVICE noop\\n"',
          type: 'REQ',
          bytes: 16,
        },
        { kind: 'packet', at: 3, symbol: 'A', label: 'ACK', type: 'ACK', bytes: 2 },
        { kind: 'close', at: 3, symbol: 'C', label: 'close' },
      ],
      spans: [{ kind: 'waiting', label: 'waiting for ACK', from: 0, to: 1 }],
    }),
  ],
  {
    title: 'Asking',
    sentence: 'It asks and is answered.',
    length: 8,
    legend: [
      { symbol: 'A', label: 'ACK' },
      { symbol: 'R', label: 'REP "OPTIONS ;\\n"' },
      { symbol: 'Q', label: 'REQ "SERVICE noop\\n"' },
      { symbol: 'C', label: 'close' },
    ],
  },
);
