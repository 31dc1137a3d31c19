import type { Packet, PacketType } from '../wire/packet.js';
import type { Timing } from './timing.js';

/**
 * The state of a request on the target.
 *
 *     fresh → examining → running → replied → streaming → done
 *
 * Amanda has no `examining`: it blocks during the check of access, which may ask DNS.
 */
export type TargetState =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'examining' }
  | { readonly kind: 'running' }
  | {
      readonly kind: 'replied';
      readonly reply: Uint8Array;
      readonly streams: boolean;
      readonly triesLeft: number;
    }
  | { readonly kind: 'streaming' }
  | { readonly kind: 'done' };

export type TargetEvent =
  | { readonly kind: 'packet'; readonly packet: Packet }
  /** The request may run. */
  | { readonly kind: 'accepted' }
  /** The request may not run; `reason` is the text after `ERROR `. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The same request runs on another handle. */
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'partialReply'; readonly body: Uint8Array }
  | { readonly kind: 'reply'; readonly body: Uint8Array; readonly streams: boolean }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'streamsEnded' }
  | { readonly kind: 'lost' };

export type TargetEffect =
  | { readonly kind: 'examine'; readonly body: Uint8Array }
  | { readonly kind: 'startService' }
  | {
      readonly kind: 'send';
      readonly type: 'ACK' | 'REP' | 'PREP' | 'NAK';
      readonly body: string | Uint8Array;
    }
  /** Restart the one timer. */
  | { readonly kind: 'wait'; readonly milliseconds: number }
  | { readonly kind: 'openStreams' }
  /** Close the announced streams without sending on them. */
  | { readonly kind: 'dropStreams' }
  | { readonly kind: 'closeHandle' }
  /** The request is over: stop the timer, and the service if it still runs. */
  | { readonly kind: 'finish'; readonly outcome: TargetOutcome };

/** How a request ended on the target. */
export type TargetOutcome =
  'completed' | 'refused' | 'ignored' | 'duplicate' | 'unacknowledged' | 'timedOut' | 'lost';

export interface TargetStep {
  readonly state: TargetState;
  readonly effects: readonly TargetEffect[];
}

type TargetTiming = Pick<Timing, 'serviceTimeout' | 'replyAckTimeout' | 'replyTries'>;

/** One transition of the target's machine. Source: PROTOCOL.md, "The exchange: target". */
export function stepTarget(
  state: TargetState,
  event: TargetEvent,
  timing: TargetTiming,
): TargetStep {
  if (state.kind === 'done') return stay(state);
  switch (event.kind) {
    case 'lost':
      return done('lost');
    case 'packet':
      return onPacket(state, event.packet, timing);
    case 'timeout':
      return onTimeout(state, timing);
    case 'streamsEnded':
      return state.kind === 'streaming' ? done('completed') : stay(state);
    case 'partialReply':
      return state.kind === 'running'
        ? { state, effects: [{ kind: 'send', type: 'PREP', body: event.body }] }
        : stay(state);
    case 'reply':
      return state.kind === 'running'
        ? sendReply(event.body, event.streams, timing.replyTries, timing)
        : stay(state);
    default:
      return state.kind === 'examining' ? onVerdict(event, timing) : stay(state);
  }
}

function onVerdict(
  event: Extract<TargetEvent, { kind: 'accepted' | 'refused' | 'duplicate' }>,
  timing: TargetTiming,
): TargetStep {
  if (event.kind === 'refused') return done('refused', nak(event.reason), { kind: 'closeHandle' });
  if (event.kind === 'duplicate') return done('duplicate', ack, { kind: 'closeHandle' });
  return {
    state: { kind: 'running' },
    effects: [ack, { kind: 'startService' }, { kind: 'wait', milliseconds: timing.serviceTimeout }],
  };
}

function onPacket(state: TargetState, packet: Packet, timing: TargetTiming): TargetStep {
  switch (state.kind) {
    case 'fresh':
      return packet.type === 'REQ'
        ? { state: { kind: 'examining' }, effects: [{ kind: 'examine', body: packet.body }] }
        : done('ignored', { kind: 'closeHandle' });
    case 'examining':
      // The ACK that follows the check answers a repeated REQ.
      return packet.type === 'REQ' ? stay(state) : { state, effects: [unexpected(packet.type)] };
    case 'running':
      return { state, effects: [packet.type === 'REQ' ? ack : unexpected(packet.type)] };
    case 'replied':
      if (packet.type === 'ACK') return onAcknowledged(state.streams);
      // A repeated REQ means that the REP was lost. The tries are the timer's, so this costs none.
      if (packet.type === 'REQ')
        return {
          state,
          effects: [
            { kind: 'send', type: 'REP', body: state.reply },
            { kind: 'wait', milliseconds: timing.replyAckTimeout },
          ],
        };
      return { state, effects: [unexpected(packet.type)] };
    default:
      return stay(state);
  }
}

function onAcknowledged(streams: boolean): TargetStep {
  return streams
    ? { state: { kind: 'streaming' }, effects: [{ kind: 'closeHandle' }, { kind: 'openStreams' }] }
    : done('completed', { kind: 'closeHandle' });
}

function onTimeout(state: TargetState, timing: TargetTiming): TargetStep {
  if (state.kind === 'running')
    return done('timedOut', nak('timeout on reply pipe'), { kind: 'closeHandle' });
  if (state.kind !== 'replied') return stay(state);
  if (state.triesLeft > 0) return sendReply(state.reply, state.streams, state.triesLeft, timing);
  return done('unacknowledged', ...(state.streams ? [{ kind: 'dropStreams' } as const] : []), {
    kind: 'closeHandle',
  });
}

function sendReply(
  reply: Uint8Array,
  streams: boolean,
  tries: number,
  { replyAckTimeout }: TargetTiming,
): TargetStep {
  return {
    state: { kind: 'replied', reply, streams, triesLeft: tries - 1 },
    effects: [
      { kind: 'send', type: 'REP', body: reply },
      { kind: 'wait', milliseconds: replyAckTimeout },
    ],
  };
}

const ack: TargetEffect = { kind: 'send', type: 'ACK', body: '' };

function nak(reason: string): TargetEffect {
  return { kind: 'send', type: 'NAK', body: `ERROR ${reason}\n` };
}

function unexpected(type: PacketType): TargetEffect {
  return nak(`unexpected packet type ${type}`);
}

function stay(state: TargetState): TargetStep {
  return { state, effects: [] };
}

function done(outcome: TargetOutcome, ...effects: TargetEffect[]): TargetStep {
  return { state: { kind: 'done' }, effects: [...effects, { kind: 'finish', outcome }] };
}
