import { describe, expect, test } from 'vitest';
import {
  stepTarget,
  type TargetEffect,
  type TargetEvent,
  type TargetOutcome,
  type TargetState,
} from '../../src/exchange/target-machine.js';
import type { PacketType } from '../../src/wire/packet.js';

const timing = { serviceTimeout: 21_600_000, replyAckTimeout: 10_000, replyTries: 5 };

const body = Uint8Array.of(0x78);
const replied = { kind: 'replied', reply: body, streams: false, triesLeft: 4 } as const;

const states = {
  fresh: { kind: 'fresh' },
  examining: { kind: 'examining' },
  running: { kind: 'running' },
  'replied, tries left': replied,
  'replied, no try left': { ...replied, triesLeft: 0 },
  'replied with streams, tries left': { ...replied, streams: true },
  'replied with streams, no try left': { ...replied, streams: true, triesLeft: 0 },
  streaming: { kind: 'streaming' },
  done: { kind: 'done' },
} as const satisfies Record<string, TargetState>;

const received = (type: PacketType): TargetEvent => ({ kind: 'packet', packet: { type, body } });

const events = {
  REQ: received('REQ'),
  ACK: received('ACK'),
  REP: received('REP'),
  PREP: received('PREP'),
  NAK: received('NAK'),
  BOGUS: received('BOGUS'),
  accepted: { kind: 'accepted' },
  refused: { kind: 'refused', reason: 'not you' },
  duplicate: { kind: 'duplicate' },
  partialReply: { kind: 'partialReply', body },
  reply: { kind: 'reply', body, streams: false },
  'reply with streams': { kind: 'reply', body, streams: true },
  timeout: { kind: 'timeout' },
  streamsEnded: { kind: 'streamsEnded' },
  lost: { kind: 'lost' },
} as const satisfies Record<string, TargetEvent>;

type State = keyof typeof states;
type Event = keyof typeof events;
/** `-`: nothing happens. */
type Arrow = '-' | readonly [to: TargetState, ...effects: TargetEffect[]];
type Row = Readonly<Record<Event, Arrow>>;

const nothing: Row = {
  REQ: '-',
  ACK: '-',
  REP: '-',
  PREP: '-',
  NAK: '-',
  BOGUS: '-',
  accepted: '-',
  refused: '-',
  duplicate: '-',
  partialReply: '-',
  reply: '-',
  'reply with streams': '-',
  timeout: '-',
  streamsEnded: '-',
  lost: '-',
};

const closeHandle: TargetEffect = { kind: 'closeHandle' };
const ack: TargetEffect = { kind: 'send', type: 'ACK', body: '' };
const rep: TargetEffect = { kind: 'send', type: 'REP', body };
const nak = (text: string): TargetEffect => ({ kind: 'send', type: 'NAK', body: text });
const wait = (milliseconds: number): TargetEffect => ({ kind: 'wait', milliseconds });
const done = (outcome: TargetOutcome, ...effects: TargetEffect[]): Arrow => [
  { kind: 'done' },
  ...effects,
  { kind: 'finish', outcome },
];
const lost = done('lost');
const ignored = done('ignored', closeHandle);

/** What a NAK says about each packet that is not due. */
const unexpected = (state: State) =>
  ({
    ACK: [states[state], nak('ERROR unexpected packet type ACK\n')],
    REP: [states[state], nak('ERROR unexpected packet type REP\n')],
    PREP: [states[state], nak('ERROR unexpected packet type PREP\n')],
    NAK: [states[state], nak('ERROR unexpected packet type NAK\n')],
    BOGUS: [states[state], nak('ERROR unexpected packet type BOGUS\n')],
  }) as const;

const inReplied = (state: State): Row => ({
  ...nothing,
  ...unexpected(state),
  REQ: [states[state], rep, wait(10_000)],
  lost,
});
const acknowledged = done('completed', closeHandle);
const opened: Arrow = [{ kind: 'streaming' }, closeHandle, { kind: 'openStreams' }];

/** PROTOCOL.md, "The exchange: target". */
const table: Readonly<Record<State, Row>> = {
  fresh: {
    ...nothing,
    REQ: [{ kind: 'examining' }, { kind: 'examine', body }],
    ACK: ignored,
    REP: ignored,
    PREP: ignored,
    NAK: ignored,
    BOGUS: ignored,
    lost,
  },
  examining: {
    ...nothing,
    ...unexpected('examining'),
    accepted: [{ kind: 'running' }, ack, { kind: 'startService' }, wait(21_600_000)],
    refused: done('refused', nak('ERROR not you\n'), closeHandle),
    duplicate: done('duplicate', ack, closeHandle),
    lost,
  },
  running: {
    ...nothing,
    ...unexpected('running'),
    REQ: [{ kind: 'running' }, ack],
    partialReply: [{ kind: 'running' }, { kind: 'send', type: 'PREP', body }],
    reply: [replied, rep, wait(10_000)],
    'reply with streams': [{ ...replied, streams: true }, rep, wait(10_000)],
    timeout: done('timedOut', nak('ERROR timeout on reply pipe\n'), closeHandle),
    lost,
  },
  'replied, tries left': {
    ...inReplied('replied, tries left'),
    ACK: acknowledged,
    timeout: [{ ...replied, triesLeft: 3 }, rep, wait(10_000)],
  },
  'replied, no try left': {
    ...inReplied('replied, no try left'),
    ACK: acknowledged,
    timeout: done('unacknowledged', closeHandle),
  },
  'replied with streams, tries left': {
    ...inReplied('replied with streams, tries left'),
    ACK: opened,
    timeout: [{ ...replied, streams: true, triesLeft: 3 }, rep, wait(10_000)],
  },
  'replied with streams, no try left': {
    ...inReplied('replied with streams, no try left'),
    ACK: opened,
    timeout: done('unacknowledged', { kind: 'dropStreams' }, closeHandle),
  },
  streaming: { ...nothing, streamsEnded: done('completed'), lost },
  done: nothing,
};

describe('the target', () => {
  for (const [state, arrows] of Object.entries(table)) {
    test.each(Object.entries(arrows))(`${state}: %s`, (event, arrow) => {
      const from = states[state as State];
      const [to, ...effects] = arrow === '-' ? [from] : arrow;
      expect(stepTarget(from, events[event as Event], timing)).toEqual({ state: to, effects });
    });
  }
});
