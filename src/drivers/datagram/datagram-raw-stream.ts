import { BehaviorSubject, Subscription, type Observable } from 'rxjs';
import { describePeer, type Peer } from '../../transport/channel.js';
import { Fifo } from '../../transport/fifo.js';
import type { ReceiveBudget } from '../../connection/receive-budget.js';
import type { SideOwner } from '../../connection/side-streams.js';
import { StreamController, type Carrier } from '../../connection/stream-controller.js';
import type { Credit } from '../../connection/receive-buffer.js';
import { AmandaError } from '../../wire/errors.js';
import { NO_BYTES } from '../../wire/frame.js';
import type { SideSocket } from './datagram-door.js';
import { hold, release } from '../../transport/buffer-pool.js';
import { resetSocket } from '../../transport/reset-socket.js';

/** Idle time before TCP probes whether the peer is still there, and for how long a closed stream may get no further with what it has left to send, in milliseconds. */
const KEEP_ALIVE = 60_000;

/** What a raw stream has around it. */
export interface RawStreamOptions {
  readonly peer: Peer;
  readonly budget: ReceiveBudget;
  readonly sendBudget: number;
  /** Bytes at which what arrives is cut. */
  readonly chunkBytes: number;
  readonly owner: SideOwner;
  readonly gone: (number: number) => void;
}

/**
 * One stream over a plain TCP connection: its bytes and nothing else, and a FIN for the close of a direction.
 *
 * A FIN says "complete", so whatever ends otherwise is ended with a reset. Source: PROTOCOL.md, "Drivers".
 */
export class RawStream implements Carrier {
  readonly controller: StreamController;
  readonly credit: Credit;
  readonly #options: RawStreamOptions;
  readonly #opening: Subscription;
  readonly #ready = new BehaviorSubject(false);
  /** What was sent before there was a connection. */
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  /** What was read and could not be handed on because the budget is used up. */
  readonly #backlog = new Fifo<Uint8Array>();
  #delivering = false;
  #peerEnded = false;
  #socket: SideSocket['socket'] | undefined;
  #sendingEnded = false;
  #over = false;

  constructor(number: number, opening: Observable<SideSocket>, options: RawStreamOptions) {
    this.#options = options;
    const { budget } = options;
    this.credit = {
      get room() {
        return budget.room;
      },
      hold: (bytes) => {
        budget.hold(bytes);
      },
      release: (bytes) => {
        budget.release(bytes);
        this.resume();
      },
    };
    this.controller = new StreamController(number, this);
    this.#opening = new Subscription();
    this.#opening.add(
      opening.subscribe({
        next: (opened) => {
          this.#open(opened);
        },
        error: (error: unknown) => {
          this.#break(error);
        },
      }),
    );
  }

  get isReady(): boolean {
    return this.#ready.value;
  }

  get ready(): Observable<boolean> {
    return this.#ready;
  }

  send(handle: number, bytes: Uint8Array): void {
    if (this.#over) return;
    this.#options.owner.tap('sent', { handle, payload: bytes });
    hold(bytes);
    if (this.#socket === undefined) {
      this.#early.push(bytes);
      this.#earlyBytes += bytes.length;
    } else if (!write(this.#socket, bytes) && this.isReady) {
      this.#ready.next(false);
    }
    if (Math.max(this.#earlyBytes, this.#socket?.writableLength ?? 0) > this.#options.sendBudget)
      this.abort(this.#overBudget());
  }

  sendFrame(handle: number, payload: Uint8Array): void {
    if (payload.length > 0) {
      this.send(handle, payload);
      return;
    }
    if (this.#over) return;
    this.#options.owner.tap('sent', { handle, payload });
    this.#sendingEnded = true;
    this.#socket?.end();
  }

  /** Both directions have closed: the socket ends by itself, behind what is left to be sent. */
  forget(handle: number): void {
    this.#over = true;
    this.#ready.complete();
    const socket = this.#socket;
    socket?.setTimeout(KEEP_ALIVE, () => {
      resetSocket(socket);
    });
    this.#options.gone(handle);
  }

  abort(reason: Error): void {
    this.#options.owner.broken(reason);
  }

  /** Stops reading while the budget is used up, by this stream among others: one that holds nothing has no part in it. */
  pause(): void {
    if (this.controller.held > 0) this.#socket?.pause();
  }

  resume(): void {
    if (!this.#mayDeliver || this.#over) return;
    this.#deliver();
    if (this.#mayDeliver && !this.#over) this.#socket?.resume();
  }

  /** The connection that the stream belongs to has ended. */
  end(reason: AmandaError): void {
    this.#over = true;
    this.#opening.unsubscribe();
    this.#early = [];
    this.#backlog.clear();
    if (this.#socket !== undefined) resetSocket(this.#socket);
    this.controller.lose(reason);
    this.#ready.complete();
  }

  #open({ socket, reader }: SideSocket): void {
    this.#socket = socket;
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE);
    const receive = (chunk: Uint8Array): void => {
      for (let at = 0; at < chunk.length; at += this.#options.chunkBytes)
        this.#backlog.push(chunk.subarray(at, at + this.#options.chunkBytes));
      this.#deliver();
    };
    socket
      .on('error', (error) => {
        this.#break(error);
      })
      .on('end', () => {
        this.#verifyEnd(socket);
      })
      .on('close', () => {
        if (this.controller.isOpen) this.#break(new Error('it was closed'));
      })
      .on('drain', () => {
        if (!this.#over) this.#ready.next(true);
      });
    let mayGoOn = true;
    for (const bytes of this.#early.splice(0)) mayGoOn = write(socket, bytes);
    this.#earlyBytes = 0;
    if (this.#sendingEnded) socket.end();
    else if (mayGoOn) this.#ready.next(true);
    if (reader === undefined) {
      socket.on('data', receive);
    } else {
      this.#opening.add(reader.listen(receive));
      // Without a reader of its own Node does not notice the end.
      socket.resume();
    }
  }

  /**
   * Node reads a reset behind bytes that were not read yet as an end (libuv takes a hang-up after a short read for one). A write of
   * nothing tells them apart: it fails on a connection that was reset. Behind our own FIN nothing can.
   */
  #verifyEnd(socket: SideSocket['socket']): void {
    const ended = (): void => {
      this.#peerEnded = true;
      this.#deliver();
    };
    if (this.#sendingEnded) ended();
    else
      socket.write(NO_BYTES, (error) => {
        if (error === null || error === undefined) ended();
        else this.#break(error);
      });
  }

  get #mayDeliver(): boolean {
    return !this.#options.budget.isUsedUp || this.controller.held === 0;
  }

  /** Hands on what has been read; never inside itself, since a reader gives back credit while it is handed a chunk. */
  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    while (this.#mayDeliver && !this.#over) {
      const chunk = this.#backlog.shift();
      if (chunk === undefined) break;
      this.#options.owner.tap('received', { handle: this.controller.handle, payload: chunk });
      this.controller.next(chunk);
    }
    this.#delivering = false;
    if (!this.#mayDeliver) this.#socket?.pause();
    if (!this.#peerEnded || this.#backlog.size > 0 || this.#over) return;
    this.#peerEnded = false;
    this.#options.owner.tap('received', { handle: this.controller.handle, payload: NO_BYTES });
    this.controller.complete();
  }

  #break(error: unknown): void {
    if (this.#over) return;
    if (error instanceof AmandaError) {
      this.#options.owner.broken(error);
      return;
    }
    const peer = describePeer(this.#options.peer);
    const why = error instanceof Error ? error.message : String(error);
    this.#options.owner.broken(
      new AmandaError(
        'CONNECTION_LOST',
        `The TCP connection of stream ${this.controller.handle} to ${peer} broke: ${why}.`,
        {
          cause: error,
          peer,
          handle: this.controller.handle,
        },
      ),
    );
  }

  #overBudget(): AmandaError {
    return new AmandaError(
      'SEND_BUDGET',
      `More than ${this.#options.sendBudget} bytes wait to be sent to ${describePeer(this.#options.peer)}, who does not read fast enough. Send from an async iterable or a Readable, which can be slowed.`,
      { handle: this.controller.handle },
    );
  }
}

/** Writes held memory, and releases it when it has been sent. */
function write(socket: SideSocket['socket'], bytes: Uint8Array): boolean {
  return socket.write(bytes, () => {
    release(bytes);
  });
}
