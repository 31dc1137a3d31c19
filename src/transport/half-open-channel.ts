import { Observable } from 'rxjs';
import { NO_BYTES } from '../wire/frame.js';
import type { Peer } from './channel.js';
import { keepAlive } from './keep-alive.js';
import { resetSocket } from './reset-socket.js';
import { StreamChannel, dataEvents } from './stream-channel.js';
import type { ConnectedSocket } from './socket.js';

/** Milliseconds without progress after which a peer that takes nothing is given up. */
const TAKEN_WITHIN = 60_000;

/**
 * A TCP socket whose directions end on their own. An empty chunk is a FIN, in `bytes` and in
 * `write`. A FIN says "complete", so a channel that ends otherwise ends with a reset.
 *
 * `bytes` completes when both directions have ended, and errors with what broke the socket.
 */
export class HalfOpenChannel extends StreamChannel {
  override readonly bytes: Observable<Uint8Array>;
  readonly #socket: ConnectedSocket['socket'];

  /** The socket must allow a half-open connection. */
  constructor({ socket, reader }: ConnectedSocket, peer: Peer) {
    const letGo = keepAlive(socket.setNoDelay(true));
    const release = (): void => {
      letGo();
      resetSocket(socket);
    };
    super({ input: socket, output: socket, release, peer });
    this.#socket = socket;
    const listen = reader === undefined ? dataEvents(socket) : reader.listen.bind(reader);
    this.bytes = new Observable((out) => {
      const fail = (error: Error): void => {
        out.error(error);
      };
      const end = (): void => {
        this.#verifyEnd(() => {
          out.next(NO_BYTES);
        }, fail);
      };
      const close = (): void => {
        out.complete();
      };
      socket.on('error', fail).on('end', end).on('close', close);
      const unlisten = listen((chunk) => {
        out.next(chunk);
      });
      return () => {
        unlisten();
        socket.off('error', fail).off('end', end).off('close', close);
        this.destroy();
      };
    });
  }

  override write(parts: readonly Uint8Array[]): boolean {
    const isEnd = parts.at(-1)?.length === 0;
    const mayGoOn = super.write(isEnd ? parts.slice(0, -1) : parts);
    if (isEnd) this.#socket.end();
    return mayGoOn;
  }

  /** Waits for the peer to take what is left, as long as it gets on with it. */
  override close(): void {
    this.#socket.end().setTimeout(TAKEN_WITHIN, () => {
      resetSocket(this.#socket);
    });
  }

  /**
   * Tells a reset from an end: libuv reports a reset after unread bytes as an end. A write of
   * nothing fails on a connection that was reset. After our own FIN nothing can tell.
   */
  #verifyEnd(ended: () => void, failed: (error: Error) => void): void {
    if (this.#socket.writableEnded) ended();
    else
      this.#socket.write(NO_BYTES, (error) => {
        if (error === null || error === undefined) ended();
        else failed(error);
      });
  }
}
