import { describe, expect, test } from 'vitest';
import { condense } from '../../src/diagram/condense.js';
import { Conversation } from '../../src/diagram/conversation.js';
import type { Diagram, LaneEvent } from '../../src/diagram/model.js';
import { Recording, type RecordingOptions } from '../../src/diagram/recording.js';
import { toText } from '../../src/diagram/text/text.js';
import { diagram, lane } from './diagrams.js';
import { packetBytes } from './shown-frames.js';

function recording(options: RecordingOptions = {}) {
  const made = new Recording(options);
  made.next({
    kind: 'lane',
    at: 0,
    lane: {
      name: 'wire',
      kind: 'connection',
      direction: undefined,
      handle: undefined,
      under: undefined,
    },
  });
  made.next({
    kind: 'lane',
    at: 0,
    lane: { name: 'wire/DATA', kind: 'stream', direction: 'in', handle: 7, under: 'wire' },
  });
  return made;
}

function chunk(at: number, bytes: number): LaneEvent {
  return { kind: 'chunk', at, bytes, label: `${bytes} bytes` };
}

function eventsOf({ lanes }: Diagram, name: string): readonly LaneEvent[] {
  return lanes.find((one) => one.name === name)?.events ?? [];
}

function countOf({ lanes }: Diagram): number {
  return lanes.reduce((sum, { events }) => sum + events.length, 0);
}

/** How many events a joined one stands for. */
function sumOf(events: readonly LaneEvent[]) {
  return events.reduce(
    (sum, event) => ({
      count: sum.count + (event.count ?? 1),
      bytes: sum.bytes + ('bytes' in event ? event.bytes : 0),
    }),
    {
      count: 0,
      bytes: 0,
    },
  );
}

describe('a recording', () => {
  test('is a diagram of what it was told, as long as the last of it', () => {
    const made = recording({ title: 'A title' });
    made.next({
      kind: 'span',
      lane: 'wire',
      span: { kind: 'paused', label: 'paused', from: 2, to: undefined },
    });
    made.next({ kind: 'event', lane: 'wire/DATA', event: chunk(3, 5) });
    made.next({ kind: 'span-end', lane: 'wire', span: 'paused', at: 4 });
    made.next({
      kind: 'span',
      lane: 'wire',
      span: { kind: 'paused', label: 'paused', from: 5, to: undefined },
    });
    expect(made.diagram()).toEqual({
      title: 'A title',
      sentence: '1 connection, 1 event in 5 ms.',
      legend: [],
      length: 5,
      lanes: [
        {
          name: 'wire',
          kind: 'connection',
          direction: undefined,
          handle: undefined,
          under: undefined,
          from: 0,
          events: [],
          subscriptions: [],
          spans: [
            { kind: 'paused', label: 'paused', from: 2, to: 4 },
            { kind: 'paused', label: 'paused', from: 5, to: undefined },
          ],
        },
        {
          name: 'wire/DATA',
          kind: 'stream',
          direction: 'in',
          handle: 7,
          under: 'wire',
          from: 0,
          events: [chunk(3, 5)],
          spans: [],
          subscriptions: [],
        },
      ],
    });
    expect(made.diagram(20).length).toBe(20);
  });

  test('has lanes below their connection, whenever they begin', () => {
    const made = new Recording();
    const start = (name: string, under: string | undefined) =>
      made.next({
        kind: 'lane',
        at: 0,
        lane: {
          name,
          kind: under === undefined ? 'connection' : 'stream',
          direction: undefined,
          handle: undefined,
          under,
        },
      });
    for (const [name, under] of [
      ['a'],
      ['b'],
      ['a/1', 'a'],
      ['b/1', 'b'],
      ['a/1/x', 'a/1'],
      ['a/2', 'a'],
    ] as const)
      start(name, under);
    expect(made.diagram().lanes.map(({ name }) => name)).toEqual([
      'a',
      'a/1',
      'a/1/x',
      'a/2',
      'b',
      'b/1',
    ]);
  });

  test('keeps at most `maxEvents`: chunks are joined, and other events only without chunks', () => {
    const made = recording({ maxEvents: 100 });
    for (let at = 0; at < 60_000; at += 1) {
      made.next({ kind: 'event', lane: 'wire/DATA', event: chunk(at, 32_768) });
      if (at % 3_000 === 0)
        made.next({
          kind: 'event',
          lane: 'wire',
          event: { kind: 'packet', type: 'REQ', bytes: 9, at, label: `REQ ${at}` },
        });
    }
    const drawn = made.diagram();
    expect(countOf(drawn)).toBeLessThanOrEqual(100);
    expect(eventsOf(drawn, 'wire').map(({ count }) => count)).toEqual(
      Array.from({ length: 20 }, () => undefined),
    );
    expect(sumOf(eventsOf(drawn, 'wire/DATA'))).toEqual({ count: 60_000, bytes: 60_000 * 32_768 });
    expect(made.happened).toBe(60_020);
  });

  test('stays bounded whatever a hostile peer sends, and still ends with the error', () => {
    const made = new Recording({ maxEvents: 200 });
    const conversation = new Conversation({
      name: 'wire',
      maxLanes: 4,
      change: (change) => made.next(change),
    });
    const kinds = [
      packetBytes(0, 'SERVICE noop\nx\n'),
      packetBytes(3),
      packetBytes(1, 'OPTIONS ;\n'),
      packetBytes(4),
      new Uint8Array(0),
      packetBytes(7),
    ];
    for (let at = 0; at < 30_000; at += 1) {
      conversation.frame(
        at,
        at % 2 === 0 ? 'initiator' : 'target',
        at % 7,
        kinds[(at * 7 + (at >> 3)) % kinds.length] ?? new Uint8Array(0),
      );
      conversation.flow(at, { paused: at % 2 === 0 });
    }
    conversation.end(30_000, undefined, { code: 'CONNECTION_LOST', message: 'Gone.' });
    const drawn = made.diagram();
    expect(countOf(drawn)).toBeLessThanOrEqual(200);
    expect(drawn.lanes.reduce((sum, { spans }) => sum + spans.length, 0)).toBeLessThanOrEqual(200);
    expect(eventsOf(drawn, 'wire').at(-1)).toMatchObject({
      kind: 'error',
      code: 'CONNECTION_LOST',
    });
  });

  test('keeps no more lanes than asked, and says how many there were', () => {
    const made = new Recording({ maxLanes: 2 });
    for (let n = 0; n < 1_000; n += 1) {
      made.next({
        kind: 'lane',
        at: n,
        lane: {
          name: `c${n}`,
          kind: 'connection',
          direction: undefined,
          handle: undefined,
          under: undefined,
        },
      });
      made.next({
        kind: 'event',
        lane: `c${n}`,
        event: { kind: 'complete', at: n, label: 'complete' },
      });
    }
    expect(made.diagram().lanes).toHaveLength(2);
    expect(made.diagram().sentence).toBe(
      '1,000 connections, 1,000 events in 999 ms. 998 lanes more than are kept.',
    );
  });

  test.each([{ maxEvents: 99 }, { maxEvents: 1.5 }, { maxLanes: 0 }])('refuses %o', (options) => {
    expect(() => new Recording(options)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
  });
});

describe('a condensed diagram', () => {
  const burst = (from: number): readonly LaneEvent[] =>
    [0, 1, 2, 3].map((n) => chunk(from + n, 512));
  const bursts = diagram(
    [
      lane('data', {
        kind: 'stream',
        events: [
          ...burst(0),
          { kind: 'close', at: 50, label: 'close' },
          ...burst(100),
          ...burst(200),
        ],
      }),
    ],
    {
      length: 210,
    },
  );

  test('joins what is close together', () => {
    expect(condense(bursts, 4).lanes[0]?.events).toEqual([
      { kind: 'chunk', at: 0, bytes: 2_048, count: 4, until: 3, label: '4 chunks, 2 KiB' },
      { kind: 'close', at: 50, label: 'close' },
      { kind: 'chunk', at: 100, bytes: 2_048, count: 4, until: 103, label: '4 chunks, 2 KiB' },
      { kind: 'chunk', at: 200, bytes: 2_048, count: 4, until: 203, label: '4 chunks, 2 KiB' },
    ]);
  });

  test('keeps a close between chunks until nothing else is left to join', () => {
    expect(condense(bursts, 3).lanes[0]?.events.map(({ kind, count }) => [kind, count])).toEqual([
      ['chunk', 4],
      ['close', undefined],
      ['chunk', 8],
    ]);
    expect(condense(bursts, 1).lanes[0]?.events.map(({ kind, count }) => [kind, count])).toEqual([
      ['value', 13],
    ]);
  });

  test('has so many chunks a stream if that is asked for, and all else as it was', () => {
    expect(
      condense(bursts, 100, 2).lanes[0]?.events.map(({ kind, count }) => [kind, count]),
    ).toEqual([
      ['chunk', 4],
      ['close', undefined],
      ['chunk', 8],
    ]);
    const other = diagram([...bursts.lanes, lane('other', { kind: 'stream' })]);
    expect(condense(other, 100, 2).lanes[0]?.events).toHaveLength(5);
  });

  test('does not take a packet for another one, nor what leaves for what arrives', () => {
    const told = (type: 'REP' | 'ACK', at: number, direction: 'in' | 'out'): LaneEvent => ({
      kind: 'packet',
      type,
      bytes: 2,
      at,
      label: type,
      direction,
    });
    const joined = (events: readonly LaneEvent[]) =>
      condense(diagram([lane('handle', { events })]), 1).lanes[0]?.events;
    expect(joined([told('REP', 1, 'in'), told('ACK', 2, 'out')])).toEqual([
      { kind: 'value', at: 1, count: 2, until: 2, label: '2 events' },
    ]);
    expect(joined([told('ACK', 1, 'in'), told('ACK', 2, 'out')])).toEqual([
      { kind: 'value', at: 1, count: 2, until: 2, label: '2 events' },
    ]);
    expect(joined([told('REP', 1, 'in'), told('REP', 2, 'in')])).toEqual([
      { ...told('REP', 1, 'in'), bytes: 4, count: 2, until: 2, label: 'REP, 2 of this type' },
    ]);
  });

  test('is the diagram itself when it is small enough', () => {
    expect(condense(bursts, 13)).toEqual(bursts);
  });

  test('has its numbers on the marbles', () => {
    expect(toText(condense(bursts, 4), { width: 100 })).toContain('×4 = 2 KiB');
    const many: LaneEvent = {
      kind: 'chunk',
      at: 0,
      bytes: 38 * 1024 * 1024,
      count: 1_204,
      label: '1204 chunks',
    };
    const one = diagram([lane('data', { events: [many] })]);
    expect(toText(one)).toContain('×1,204 = 38 MiB');
    expect(toText(one, { unicode: false })).toContain('x1,204 = 38 MiB');
  });
});
