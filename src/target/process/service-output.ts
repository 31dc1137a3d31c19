import { Socket, type OnReadOpts } from 'node:net';
import type { Pull, PullEnd, Pullable } from '../../operators/pull.js';
import { release, takeSlab } from '../../transport/buffer-pool.js';
import { AmandaError } from '../../wire/errors.js';

/** A read below this is copied, so that a line of text does not keep a slab. */
const COPIED_BYTES = 8_192;

/**
 * What a service writes to one of its streams, read as it is taken.
 *
 * Large reads lie in slabs, which a leasing reader gives back. Ends when the service closes its
 * descriptor, errors when this side does.
 */
export class ServiceOutput implements Pullable<Uint8Array> {
  readonly #socket: Socket;
  #room: Uint8Array | undefined;
  #chunk: Uint8Array | undefined;
  #isStopped = false;
  #end: PullEnd | undefined;
  #wake: () => void = () => undefined;

  /** `pipe` has just been made by `spawn`, and has no listener yet. */
  constructor(pipe: Socket) {
    const reading = readingInto(pipe, {
      buffer: () => this.#nextRoom(),
      callback: (length) => this.#arrived(this.#read(length)),
    });
    this.#socket = reading ?? pipe;
    if (reading === undefined) {
      pipe.pause().on('data', (chunk: Uint8Array) => {
        if (!this.#arrived(chunk)) pipe.pause();
      });
    }
    this.#socket
      // What breaks on a service's side shows as the end of what it writes.
      .on('error', () => undefined)
      .once('end', () => {
        this.#finish({});
      })
      .once('close', () => {
        this.#finish({
          error:
            this.#socket.errored ??
            new AmandaError(
              'CONNECTION_CLOSED',
              'The output of a service was closed by this side before its end.',
            ),
        });
      });
    // Such a pair of sockets is for one direction, as a pipe is.
    this.#socket.end();
  }

  pull(wake: () => void, lease = false): Pull<Uint8Array> {
    this.#wake = wake;
    this.#socket.resume();
    const endNow = (): PullEnd | undefined => (this.#chunk === undefined ? this.#end : undefined);
    return {
      get end() {
        return endNow();
      },
      take: () => this.#take(),
      release: (chunk) => {
        if (lease) release(chunk);
      },
      cancel: () => {
        this.#wake = () => undefined;
        this.destroy();
      },
    };
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #nextRoom(): Uint8Array {
    return (this.#room ??= takeSlab());
  }

  /** The slab of a large read goes to the reader. */
  #read(length: number): Uint8Array {
    const room = this.#nextRoom();
    if (length < COPIED_BYTES) return room.slice(0, length);
    this.#room = undefined;
    return room.subarray(0, length);
  }

  /** Whether the chunk has been taken and reading can go on. */
  #arrived(chunk: Uint8Array): boolean {
    this.#chunk = chunk;
    this.#wake();
    this.#isStopped = this.#chunk !== undefined;
    return !this.#isStopped;
  }

  #take(): Uint8Array | undefined {
    const chunk = this.#chunk;
    this.#chunk = undefined;
    if (this.#isStopped) {
      this.#isStopped = false;
      this.#socket.resume();
    }
    return chunk;
  }

  #finish(end: PullEnd): void {
    this.#end ??= end;
    this.#wake();
  }
}

/** Node's own object inside a socket. */
interface Handle {
  reading: boolean;
  readStop(): void;
}

/**
 * Replaces a socket that `spawn` made by one that reads into our memory, which Node lets only a new
 * socket do. A GB then costs 0.06 s of processor time instead of 0.3.
 *
 * Node does not document how to take the handle over. Undefined if the handle has another shape;
 * Node's own buffers are used then.
 */
function readingInto(pipe: Socket, onread: OnReadOpts): Socket | undefined {
  const owner = pipe as unknown as { _handle?: Partial<Handle> | null };
  const handle = owner._handle;
  if (typeof handle?.readStop !== 'function' || pipe.readableLength > 0 || pipe.readableEnded)
    return undefined;
  handle.readStop();
  handle.reading = false;
  owner._handle = null;
  const options: object = { handle, manualStart: true, onread };
  return new Socket(options).once('close', () => {
    pipe.destroy();
  });
}
