import type { Readable, Writable } from 'node:stream';
import { Observable } from 'rxjs';
import { describePeer, type Channel, type Peer } from './channel.js';
import { AmandaError } from '../wire/errors.js';

/**
 * How long a channel that this side has closed may take to send what was written, in milliseconds.
 */
const FLUSH = 30_000;
/** How long it then waits for the other side to close too. */
const LINGER = 2_000;

/**
 * The two Node streams of a channel, which may be one and the same (a socket), and how to release
 * them.
 */
export interface ByteStreams {
  /** What arrives. */
  readonly input: Readable;
  /** What is sent. */
  readonly output: Writable;
  /** The other end. */
  readonly peer: Peer;
  /** Whether each frame needs a write of its own. Default false. */
  readonly framesApart?: boolean;
  /** Hands over what arrives, and returns how to stop; default the input's `data` events. */
  readonly listen?: ((next: (chunk: Uint8Array) => void) => () => void) | undefined;
  /** Ends what carries the streams, at once; called once. Default: destroys both. */
  readonly release?: () => void;
  /** Why the channel broke, if more is known than the streams say. */
  readonly explain?: () => Promise<AmandaError | undefined>;
}

/** A channel over Node streams: a socket, or the pipes of a process. */
export class StreamChannel implements Channel {
  readonly peer: Peer;
  readonly bytes: Observable<Uint8Array>;
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #streams: ByteStreams;
  /** Both directions are one stream, which gets each listener once. */
  readonly #isSocket: boolean;
  #released = false;
  #closing = false;

  constructor(streams: ByteStreams) {
    this.#streams = streams;
    this.#input = streams.input;
    this.#output = streams.output;
    this.#isSocket = this.#input === (this.#output as unknown);
    this.peer = streams.peer;
    // An error after the last listener has left must not end the process.
    this.#input.on('error', () => undefined);
    if (!this.#isSocket) this.#output.on('error', () => undefined);
    this.bytes = new Observable((out) => {
      const over = (reason: unknown): void => {
        if (reason === undefined) out.complete();
        else out.error(reason);
      };
      const fail = (error: Error): void => {
        this.#explain((reason) => {
          over(reason ?? this.#broken(error));
        });
      };
      const end = (): void => {
        if (this.#closing) over(undefined);
        else this.#explain(over);
      };
      this.#input.on('end', end).on('close', end).on('error', fail);
      if (!this.#isSocket) this.#output.on('error', fail);
      const unlisten = (streams.listen ?? dataEvents(this.#input))((chunk) => {
        out.next(chunk);
      });
      return () => {
        unlisten();
        this.#input.off('end', end).off('close', end).off('error', fail);
        if (!this.#isSocket) this.#output.off('error', fail);
        this.destroy();
      };
    });
  }

  get drain(): Observable<void> {
    return new Observable((out) => {
      const drained = (): void => {
        out.next();
      };
      this.#output.on('drain', drained);
      return () => {
        this.#output.off('drain', drained);
      };
    });
  }

  get isIdle(): boolean {
    return this.#output.writableLength === 0;
  }

  get framesApart(): boolean {
    return this.#streams.framesApart === true;
  }

  write(parts: readonly Uint8Array[]): boolean {
    const output = this.#output;
    if (output.destroyed || output.writableEnded) return true;
    const [first] = parts;
    if (parts.length === 1) {
      output.write(first);
    } else {
      output.cork();
      for (const part of parts) output.write(part);
      output.uncork();
    }
    return !output.writableNeedDrain;
  }

  pause(): void {
    this.#input.pause();
  }

  resume(): void {
    this.#input.resume();
  }

  close(): void {
    if (this.#closing || this.#released) return;
    this.#closing = true;
    // Not protocol time: limits how long a socket is kept for a peer that does not read or close.
    let limit = setTimeout(() => {
      this.destroy();
    }, FLUSH);
    const release = (): void => {
      clearTimeout(limit);
      this.destroy();
    };
    const hasEnded = this.#input.readableEnded || this.#input.destroyed;
    this.#output
      .once('finish', () => {
        clearTimeout(limit);
        if (hasEnded) this.destroy();
        else limit = setTimeout(release, LINGER);
      })
      .once('close', () => {
        if (!this.#output.writableFinished) release();
      });
    if (!hasEnded) this.#input.once('end', release).once('close', release).resume();
    this.#output.end();
  }

  destroy(): void {
    if (this.#released) return;
    this.#released = true;
    if (this.#streams.release === undefined) {
      this.#input.destroy();
      this.#output.destroy();
    } else {
      this.#streams.release();
    }
  }

  /** Reports why the streams have ended, at once if nothing more can be known. */
  #explain(report: (reason: unknown) => void): void {
    const { explain } = this.#streams;
    if (explain === undefined) report(undefined);
    else explain().then(report, report);
  }

  #broken(error: Error): AmandaError {
    const peer = describePeer(this.peer);
    return new AmandaError(
      'CONNECTION_LOST',
      `The connection to ${peer} broke: ${error.message}.`,
      { cause: error, peer },
    );
  }
}

/** What `listen` is for streams that Node reads. */
export function dataEvents(input: Readable): (next: (chunk: Uint8Array) => void) => () => void {
  return (next) => {
    input.on('data', next);
    return () => {
      input.off('data', next);
    };
  };
}
