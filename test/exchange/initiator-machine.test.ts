import { describe, expect, test } from 'vitest';
import {
  stepInitiator,
  type InitiatorEffect,
  type InitiatorEvent,
  type InitiatorState,
} from '../../src/exchange/initiator-machine.js';
import type { Packet, PacketType } from '../../src/wire/packet.js';

const timing = {
  ackTimeout: 10_000,
  requestTries: 3,
  replyTimeout: 30_000,
  replyRestarts: 2,
  restartsUntil: 3_600_000,
};

/** All of them begin at 1,000,000 ms; the REQ that counts left at 1,040,000. */
const STARTED = 1_000_000;
const SENT = 1_040_000;
const NOW = 1_050_000;
const attempt = { startedAt: STARTED, sentAt: SENT, restartsLeft: 2 };

const states = {
  ready: { kind: 'ready' },
  'ackwait, tries left': { kind: 'ackwait', triesLeft: 1, ...attempt },
  'ackwait, no try left': { kind: 'ackwait', triesLeft: 0, ...attempt },
  'repwait, restarts left': { kind: 'repwait', ...attempt },
  'repwait, no restart left': { kind: 'repwait', ...attempt, restartsLeft: 0 },
  'repwait, begun over an hour ago': { kind: 'repwait', ...attempt, startedAt: NOW - 3_600_001 },
  done: { kind: 'done' },
} as const satisfies Record<string, InitiatorState>;

const packet = (type: PacketType): Packet => ({ type, body: Uint8Array.of(0x78) });
const received = (type: PacketType): InitiatorEvent => ({
  kind: 'packet',
  at: NOW,
  packet: packet(type),
});

const events = {
  start: { kind: 'start', at: NOW },
  ACK: received('ACK'),
  REP: received('REP'),
  PREP: received('PREP'),
  NAK: received('NAK'),
  REQ: received('REQ'),
  BOGUS: received('BOGUS'),
  timeout: { kind: 'timeout', at: NOW },
  lost: { kind: 'lost', reason: 'the cable' },
} as const satisfies Record<string, InitiatorEvent>;

type State = keyof typeof states;
type Event = keyof typeof events;
/** `-`: nothing happens. */
type Arrow = '-' | readonly [to: InitiatorState, ...effects: InitiatorEffect[]];

const done: InitiatorState = { kind: 'done' };
const wait = (milliseconds: number): InitiatorEffect => ({ kind: 'wait', milliseconds });
const sendRequest: InitiatorEffect = { kind: 'send', type: 'REQ' };
const failed: Arrow = [done, { kind: 'failed', reason: 'the cable' }];
const replied: Arrow = [
  done,
  { kind: 'send', type: 'ACK' },
  { kind: 'reply', packet: packet('REP') },
];
const refused: Arrow = [done, { kind: 'refused', packet: packet('NAK') }];
const noAck: Arrow = [done, { kind: 'timedOut', waitingFor: 'ACK' }];
const noReply: Arrow = [done, { kind: 'timedOut', waitingFor: 'REP' }];

/** Ten seconds have passed since the REQ: 30 − 10 + 1 are left. */
const partial = (to: InitiatorState): Arrow => [
  to,
  wait(21_000),
  { kind: 'partial', packet: packet('PREP') },
];

const repwait: InitiatorState = { kind: 'repwait', ...attempt };
const ignored = { start: '-', REQ: '-', BOGUS: '-' } as const;

const inAckwait = {
  ...ignored,
  ACK: [repwait, wait(30_000)],
  REP: replied,
  PREP: partial(repwait),
  NAK: refused,
  lost: failed,
} as const;
const inRepwait = (state: State) =>
  ({
    ...ignored,
    ACK: '-',
    REP: replied,
    PREP: partial(states[state]),
    NAK: refused,
    lost: failed,
  }) as const;

/** PROTOCOL.md, "The exchange: initiator". */
const table: Readonly<Record<State, Readonly<Record<Event, Arrow>>>> = {
  ready: {
    start: [
      { kind: 'ackwait', triesLeft: 2, startedAt: NOW, sentAt: NOW, restartsLeft: 2 },
      sendRequest,
      wait(10_000),
    ],
    ACK: '-',
    REP: '-',
    PREP: '-',
    NAK: '-',
    REQ: '-',
    BOGUS: '-',
    timeout: '-',
    lost: failed,
  },
  'ackwait, tries left': {
    ...inAckwait,
    timeout: [
      { kind: 'ackwait', triesLeft: 0, ...attempt, sentAt: NOW },
      sendRequest,
      wait(10_000),
    ],
  },
  'ackwait, no try left': { ...inAckwait, timeout: noAck },
  'repwait, restarts left': {
    ...inRepwait('repwait, restarts left'),
    timeout: [
      { kind: 'ackwait', triesLeft: 2, startedAt: STARTED, sentAt: NOW, restartsLeft: 1 },
      sendRequest,
      wait(10_000),
    ],
  },
  'repwait, no restart left': { ...inRepwait('repwait, no restart left'), timeout: noReply },
  'repwait, begun over an hour ago': {
    ...inRepwait('repwait, begun over an hour ago'),
    timeout: noReply,
  },
  done: {
    start: '-',
    ACK: '-',
    REP: '-',
    PREP: '-',
    NAK: '-',
    REQ: '-',
    BOGUS: '-',
    timeout: '-',
    lost: '-',
  },
};

describe('the initiator', () => {
  for (const [state, arrows] of Object.entries(table)) {
    test.each(Object.entries(arrows))(`${state}: %s`, (event, arrow) => {
      const from = states[state as State];
      const [to, ...effects] = arrow === '-' ? [from] : arrow;
      expect(stepInitiator(from, events[event as Event], timing)).toEqual({ state: to, effects });
    });
  }

  test('has one second left, however late a PREP comes', () => {
    const { effects } = stepInitiator(
      repwait,
      { kind: 'packet', at: SENT + 100_000, packet: packet('PREP') },
      timing,
    );
    expect(effects[0]).toEqual(wait(1_000));
  });

  test('may start over at the very end of the hour', () => {
    const state: InitiatorState = { ...repwait, startedAt: NOW - 3_600_000 };
    expect(stepInitiator(state, events.timeout, timing).effects).toEqual([
      sendRequest,
      wait(10_000),
    ]);
  });
});
