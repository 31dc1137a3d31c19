import { AmandaError } from '../wire/errors.js';
import { describePeer, type Peer } from '../transport/channel.js';
import type { Stall } from './receive-budget.js';

/**
 * Why a connection has ended, with its peer in it. An error of ours stays what it is, any other is
 * `CONNECTION_LOST`. `handle`: the stream that the connection is for, if it is for one.
 */
export function asLoss(reason: unknown, peer: Peer, handle?: number): AmandaError {
  const name = describePeer(peer);
  if (!(reason instanceof AmandaError)) {
    const message = reason instanceof Error ? reason.message : String(reason);
    const what = handle === undefined ? 'connection' : `TCP connection of stream ${handle}`;
    return new AmandaError('CONNECTION_LOST', `The ${what} to ${name} broke: ${message}.`, {
      cause: reason,
      peer: name,
      handle,
    });
  }
  return reason.peer === undefined
    ? new AmandaError(reason.code, reason.message, {
        cause: reason,
        peer: name,
        handle: reason.handle ?? handle,
      })
    : reason;
}

/** The peer closed the connection; `inside` is the decoder's error if that was inside a frame. */
export function hungUp(peer: Peer, inside?: unknown): AmandaError {
  const name = describePeer(peer);
  if (!(inside instanceof Error))
    return new AmandaError('CONNECTION_LOST', `${name} ended the connection.`, { peer: name });
  return new AmandaError(
    'CONNECTION_LOST',
    `${name} ended the connection inside a frame. ${inside.message}`,
    { cause: inside, peer: name },
  );
}

/** This side has ended the connection. */
export function endedHere(peer: Peer, how: 'closed' | 'cancelled'): AmandaError {
  const name = describePeer(peer);
  return new AmandaError(
    'CONNECTION_CLOSED',
    `The connection to ${name} was ${how} by this side.`,
    { peer: name },
  );
}

/** One stream blocks others, and that is not allowed to last. */
export function stalled({ blocking, waiting }: Stall, peer: Peer): AmandaError {
  return new AmandaError(
    'STALLED',
    `Unread bytes of handle ${blocking.join(', ')} hold up handle ${waiting.join(', ')}. Read them, or discard() that stream.`,
    { peer: describePeer(peer), handle: blocking[0] },
  );
}

const notTaken = new WeakSet<Error>();

/** A stream of a reply was not taken by the initiator, or by another program in its place. */
export function streamNotTaken(message: string, handle: number): AmandaError {
  const error = new AmandaError('CONNECTION_LOST', message, { handle });
  notTaken.add(error);
  return error;
}

/** Whether the error, or one that led to it, is one of {@link streamNotTaken}. */
export function isStreamNotTaken(error: unknown): boolean {
  return error instanceof Error && (notTaken.has(error) || isStreamNotTaken(error.cause));
}

/** More waits to be sent than is allowed. */
export function overSendBudget(peer: Peer, handle: number, sendBudget: number): AmandaError {
  const name = describePeer(peer);
  return new AmandaError(
    'SEND_BUDGET',
    `More than ${sendBudget} bytes wait to be sent to ${name}, which reads too slowly. Send from an async iterable or a Readable, which can be slowed.`,
    { handle, peer: name },
  );
}

/** As many handles are open as may be. */
export function tooManyHandles(open: number, most: number, handle?: number): AmandaError {
  return new AmandaError(
    'TOO_MANY_HANDLES',
    `The connection has ${open} open handles, and the limit (maxHandles) is ${most}.`,
    { handle },
  );
}
