import type { Packet } from '../wire/packet.js';
import type { Timing } from './timing.js';

/** The state of an initiator's request. Times are milliseconds of one clock. */
export type InitiatorState =
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'ackwait'; readonly triesLeft: number } & Attempt)
  | ({ readonly kind: 'repwait' } & Attempt)
  | { readonly kind: 'done' };

interface Attempt {
  readonly startedAt: number;
  readonly sentAt: number;
  readonly restartsLeft: number;
}

export type InitiatorEvent =
  | { readonly kind: 'start'; readonly at: number }
  | { readonly kind: 'packet'; readonly at: number; readonly packet: Packet }
  | { readonly kind: 'timeout'; readonly at: number }
  | { readonly kind: 'lost'; readonly reason: unknown };

export type InitiatorEffect =
  | { readonly kind: 'send'; readonly type: 'REQ' | 'ACK' }
  /** Restart the one timer. */
  | { readonly kind: 'wait'; readonly milliseconds: number }
  | { readonly kind: 'partial'; readonly packet: Packet }
  | { readonly kind: 'reply'; readonly packet: Packet }
  | { readonly kind: 'refused'; readonly packet: Packet }
  | { readonly kind: 'timedOut'; readonly waitingFor: 'ACK' | 'REP' }
  | { readonly kind: 'failed'; readonly reason: unknown };

export interface InitiatorStep {
  readonly state: InitiatorState;
  readonly effects: readonly InitiatorEffect[];
}

type InitiatorTiming = Pick<
  Timing,
  'ackTimeout' | 'requestTries' | 'replyTimeout' | 'replyRestarts' | 'restartsUntil'
>;

/** One transition of the initiator's machine. Source: PROTOCOL.md, "The exchange: initiator". */
export function stepInitiator(
  state: InitiatorState,
  event: InitiatorEvent,
  timing: InitiatorTiming,
): InitiatorStep {
  if (state.kind === 'done') return { state, effects: [] };
  if (event.kind === 'lost') return done({ kind: 'failed', reason: event.reason });
  if (event.kind === 'start') {
    return state.kind === 'ready'
      ? sendRequest(
          { startedAt: event.at, sentAt: event.at, restartsLeft: timing.replyRestarts },
          timing.requestTries,
          timing,
        )
      : stay(state);
  }
  if (state.kind === 'ready') return stay(state);
  return event.kind === 'packet'
    ? onPacket(state, event.packet, event.at, timing)
    : onTimeout(state, event.at, timing);
}

type Waiting = Extract<InitiatorState, { kind: 'ackwait' | 'repwait' }>;

function onPacket(
  state: Waiting,
  packet: Packet,
  at: number,
  timing: InitiatorTiming,
): InitiatorStep {
  switch (packet.type) {
    case 'ACK':
      return state.kind === 'ackwait'
        ? {
            state: toRepwait(state),
            effects: [{ kind: 'wait', milliseconds: timing.replyTimeout }],
          }
        : stay(state);
    case 'REP':
      return done({ kind: 'send', type: 'ACK' }, { kind: 'reply', packet });
    case 'PREP':
      return {
        state: toRepwait(state),
        effects: [
          { kind: 'wait', milliseconds: remaining(state.sentAt, at, timing) },
          { kind: 'partial', packet },
        ],
      };
    case 'NAK':
      return done({ kind: 'refused', packet });
    default:
      return stay(state);
  }
}

function onTimeout(state: Waiting, at: number, timing: InitiatorTiming): InitiatorStep {
  if (state.kind === 'ackwait') {
    return state.triesLeft > 0
      ? sendRequest({ ...attemptOf(state), sentAt: at }, state.triesLeft, timing)
      : done({ kind: 'timedOut', waitingFor: 'ACK' });
  }
  const mayRestart = state.restartsLeft > 0 && at - state.startedAt <= timing.restartsUntil;
  if (!mayRestart) return done({ kind: 'timedOut', waitingFor: 'REP' });
  return sendRequest(
    { startedAt: state.startedAt, sentAt: at, restartsLeft: state.restartsLeft - 1 },
    timing.requestTries,
    timing,
  );
}

function sendRequest(
  attempt: Attempt,
  tries: number,
  { ackTimeout }: InitiatorTiming,
): InitiatorStep {
  return {
    state: { kind: 'ackwait', triesLeft: tries - 1, ...attempt },
    effects: [
      { kind: 'send', type: 'REQ' },
      { kind: 'wait', milliseconds: ackTimeout },
    ],
  };
}

/** A partial reply buys no time: the wait counts from the REQ, with one second to spare. */
function remaining(sentAt: number, at: number, { replyTimeout }: InitiatorTiming): number {
  return Math.max(replyTimeout - (at - sentAt) + 1_000, 1_000);
}

function toRepwait(state: Waiting): InitiatorState {
  return { kind: 'repwait', ...attemptOf(state) };
}

function attemptOf({ startedAt, sentAt, restartsLeft }: Attempt): Attempt {
  return { startedAt, sentAt, restartsLeft };
}

function stay(state: InitiatorState): InitiatorStep {
  return { state, effects: [] };
}

function done(...effects: InitiatorEffect[]): InitiatorStep {
  return { state: { kind: 'done' }, effects };
}
