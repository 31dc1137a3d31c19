import { Observable } from 'rxjs';
import { describePeer, type Channel, type Peer } from '../transport/channel.js';
import { hungUp } from '../connection/connection-errors.js';
import { checkMethods, checkOptions } from '../wire/arguments.js';
import { AmandaError } from '../wire/errors.js';
import { FrameDecoder, encodeFrame } from '../wire/frame.js';

/** A change of each payload, such as encryption or a signature. */
export interface PayloadWrapping {
  /**
   * The bytes to send for a payload, at most 4 MiB. Called in the order of sending, so it may
   * count.
   */
  readonly wrap: (payload: Uint8Array, handle: number) => Uint8Array;
  /** The inverse, in the order of arrival. An error that it throws ends the connection. */
  readonly unwrap: (wrapped: Uint8Array, handle: number) => Uint8Array;
}

/**
 * A channel whose frames have wrapped payloads. Headers and closes are not wrapped.
 *
 *     written  [8 bytes][payload]        sent  [8 bytes][wrap(payload)]
 *
 * For drivers of your own, between their channel and the Connection. Errors with `CONNECTION_LOST`
 * for a payload that cannot be unwrapped, and for an end inside a frame. Source: PROTOCOL.md,
 * "Frames".
 *
 * @example
 * ```ts
 * import { wrapPayloads, type Channel } from 'rx-amanda/driver';
 *
 * const flipped = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0xff);
 *
 * function wrapped(channel: Channel): Channel {
 *   return wrapPayloads(channel, { wrap: flipped, unwrap: flipped });
 * }
 * ```
 */
export function wrapPayloads(channel: Channel, wrapping: PayloadWrapping): Channel {
  checkMethods('The channel of wrapPayloads', channel, 'write', 'close');
  checkOptions('wrapPayloads', wrapping, { wrap: 'function', unwrap: 'function' });
  const { wrap, unwrap } = wrapping;
  const outgoing = new Rewriting(wrap);
  return {
    peer: channel.peer,
    drain: channel.drain,
    get isIdle() {
      return channel.isIdle;
    },
    framesApart: channel.framesApart,
    bytes: new Observable((out) => {
      const incoming = new Rewriting(unwrap);
      return channel.bytes.subscribe({
        next: (chunk) => {
          try {
            for (const frame of incoming.rewrite(chunk)) out.next(frame);
          } catch (cause) {
            out.error(cannotUnwrap(cause, channel.peer));
          }
        },
        error: (error: unknown) => {
          out.error(error);
        },
        complete: () => {
          try {
            incoming.requireWhole();
            out.complete();
          } catch (inside) {
            out.error(hungUp(channel.peer, inside));
          }
        },
      });
    }),
    write: (parts) => channel.write(parts.flatMap((part) => outgoing.rewrite(part))),
    pause: () => {
      channel.pause();
    },
    resume: () => {
      channel.resume();
    },
    close: () => {
      channel.close();
    },
    destroy: () => {
      channel.destroy();
    },
  };
}

/** Turns bytes cut anywhere into whole frames with changed payloads. */
class Rewriting {
  readonly #decoder = new FrameDecoder();
  readonly #change: PayloadWrapping['wrap'];

  constructor(change: PayloadWrapping['wrap']) {
    this.#change = change;
  }

  rewrite(chunk: Uint8Array): Uint8Array[] {
    return [...this.#decoder.push(chunk)].map(({ handle, payload }) =>
      encodeFrame({
        handle,
        payload: payload.length === 0 ? payload : this.#changed(handle, payload),
      }),
    );
  }

  /** Errors with `TRUNCATED` when the bytes end inside a frame. */
  requireWhole(): void {
    this.#decoder.end();
  }

  #changed(handle: number, payload: Uint8Array): Uint8Array {
    const other = this.#change(payload, handle);
    // An empty payload would close the handle.
    if (other.length === 0)
      throw new AmandaError('BAD_ARGUMENT', 'A wrapped or unwrapped payload must not be empty.', {
        handle,
      });
    return other;
  }
}

function cannotUnwrap(cause: unknown, peer: Peer): AmandaError {
  const name = describePeer(peer);
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof AmandaError && cause.code !== 'BAD_ARGUMENT') return cause;
  return new AmandaError(
    'CONNECTION_LOST',
    `What ${name} has sent cannot be unwrapped: ${message.replace(/\.$/, '')}.`,
    { cause, peer: name },
  );
}
