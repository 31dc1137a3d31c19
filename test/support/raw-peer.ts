import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { sourcePorts } from '../../src/access/reserved-port.js';
import { FrameDecoder, type Frame } from '../../src/wire/frame.js';
import { saidOn } from './replay.js';

/** An initiator that keeps no rules: it sends bytes, and notes the frames that come back. */
export class RawPeer {
  readonly frames: Frame[] = [];
  /** How the target ended the connection, and when. */
  readonly ended: Promise<Ended>;
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  readonly #waiting = new Set<() => void>();
  #over = false;

  private constructor(socket: Socket) {
    const began = performance.now();
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.frames.push(...this.#decoder.push(chunk));
      this.#noted();
    });
    this.ended = new Promise((resolve) => {
      const over = (how: Ended['how']): void => {
        this.#over = true;
        resolve({ how, seconds: (performance.now() - began) / 1000 });
        this.#noted();
      };
      socket.on('end', () => over('eof'));
      socket.on('error', () => over('reset'));
      // Who is closed by this side has seen no end.
      socket.on('close', () => over('eof'));
    });
  }

  /** Connects to a port of the loopback from one that only root may have. */
  static async connect(port: number): Promise<RawPeer> {
    for (const localPort of sourcePorts({ first: 600 })) {
      const socket = connect({
        port,
        host: '127.0.0.1',
        localAddress: '127.0.0.1',
        localPort,
        noDelay: true,
        allowHalfOpen: true,
      });
      try {
        await once(socket, 'connect');
        return new RawPeer(socket);
      } catch (error) {
        if (!(
          error instanceof Error &&
          'code' in error &&
          (error.code === 'EADDRINUSE' || error.code === 'EADDRNOTAVAIL')
        ))
          throw error;
      }
    }
    throw new Error('no source port is free');
  }

  /** Sends them in one piece. */
  send(...pieces: readonly Uint8Array[]): void {
    this.#socket.write(Buffer.concat(pieces));
  }

  /** Sends nothing more. */
  half(): void {
    this.#socket.end();
  }

  /** Ends the connection. */
  close(): void {
    this.#socket.destroy();
  }

  /** What came on a handle, as {@link saidOn} says it. */
  said(handle: number): readonly string[] {
    return saidOn(this.frames).get(handle) ?? [];
  }

  /**
   * Waits until something has come on a handle; the end of the connection before that is an error.
   */
  async until(handle: number, what: (said: readonly string[]) => boolean): Promise<void> {
    while (!what(this.said(handle))) {
      if (this.#over)
        throw new Error(
          `The connection ended before, with ${JSON.stringify([...saidOn(this.frames)])}.`,
        );
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  #noted(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

export interface Ended {
  readonly how: 'eof' | 'reset';
  /** Seconds since the connection was made. */
  readonly seconds: number;
}
