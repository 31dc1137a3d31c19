import {
  ReplaySubject,
  delay,
  filter,
  firstValueFrom,
  ignoreElements,
  race,
  take,
  type Observable,
} from 'rxjs';
import type { Stream } from '../../connection/stream.js';
import type { IncomingRequest, StreamHandler } from '../../exchange/service.js';
import { RunningChecksum } from '../../operators/checksum.js';
import { AmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';
import type { DumpEnd } from './backup-entry.js';
import type { BackupImage } from './backup-image.js';
import type { DumpHead } from './dump-request.js';
import { gzipLevelOf, selectionOf } from './entry-rules.js';
import { asAmandaError, reason } from './failure-reason.js';
import { gzipped, imageBytes } from './image-source.js';
import { indexLine } from './index-lines.js';
import {
  checksumLines,
  dumpDescription,
  messageLines,
  sendbackupStreams,
  type RestoreWords,
} from './sendbackup-streams.js';

export interface ImageDumpParts {
  readonly asked: DumpHead;
  readonly image: BackupImage;
  readonly words: RestoreWords;
  readonly request: IncomingRequest;
  /** Milliseconds that the image may take for its next bytes. */
  readonly sourceTimeout: number;
}

/** Milliseconds in which a server closes the streams of a dump after the last byte. */
const CONFIRM_TIMEOUT = 30_000;

/**
 * One dump of a program's image, as the streams of a sendbackup.
 *
 *     MESG   -m--------------n|       m: start and info  n: checksums, size, end; or the error
 *     DATA   ---a--b--c-----|         starts when m has been sent
 *     INDEX  -----------------i|      what was listed while the data were made
 */
export class ImageDump {
  readonly #parts: ImageDumpParts;
  readonly #native = new RunningChecksum();
  readonly #sent = new RunningChecksum();
  readonly #gzipLevel: number | undefined;
  /** Emits when the description has been sent. */
  readonly #described = new ReplaySubject<void>(1);
  /** Emits when the data have been sent, or have failed. */
  readonly #made = new ReplaySubject<void>(1);
  /** Emits when the messages have been sent. */
  readonly #concluded = new ReplaySubject<void>(1);
  /** Emits when the server has closed all streams after us. */
  readonly #confirmed = new ReplaySubject<void>(1);
  /** Streams that are open in one direction at least. */
  #open = 0;
  readonly #paths: string[] = [];
  #end: DumpEnd = { kind: 'cut' };
  readonly #left = new AbortController();
  /** What the server hears of a failure. */
  #told: string | undefined;

  constructor(parts: ImageDumpParts) {
    this.#parts = parts;
    this.#gzipLevel = gzipLevelOf(parts.asked.dle);
  }

  streams(): Readonly<Record<string, StreamHandler | undefined>> {
    const { asked } = this.#parts;
    const sources = {
      data: () => this.#data(),
      messages: () => this.#messages(),
      index: asked.dle.index === true ? () => this.#index() : undefined,
    };
    const streams = sendbackupStreams(asked, sources, (incoming) => {
      this.#follow(incoming);
    });
    this.#open = Object.values(streams).filter((handler) => handler !== undefined).length;
    return streams;
  }

  /** Completes when the server has closed all streams after us, or 30 s after our last byte. */
  get finished(): Observable<never> {
    return race(this.#confirmed, this.#concluded.pipe(delay(CONFIRM_TIMEOUT))).pipe(
      take(1),
      ignoreElements(),
    );
  }

  /** Ends the source, when the request is over, and says how the dump has ended. */
  stop(): DumpEnd {
    this.#left.abort();
    return this.#end;
  }

  /** Reads a stream, so that its close is seen. */
  #follow(incoming: Stream): void {
    incoming.subscribe({ error: () => undefined });
    incoming.ends
      .pipe(
        filter(({ receiving, sending }) => receiving === 'closed' && sending === 'closed'),
        take(1),
      )
      .subscribe(() => {
        this.#open -= 1;
        if (this.#open > 0) return;
        if (this.#end.kind === 'cut') this.#end = { kind: 'whole' };
        this.#confirmed.next();
      });
  }

  async *#data(): AsyncGenerator<Uint8Array, void, undefined> {
    await firstValueFrom(this.#described, { defaultValue: undefined });
    const source =
      this.#gzipLevel === undefined ? this.#read() : gzipped(this.#read(), this.#gzipLevel);
    try {
      for await (const bytes of source) {
        this.#sent.update(bytes);
        yield bytes;
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#made.next();
  }

  async *#read(): AsyncGenerator<Uint8Array, void, undefined> {
    const { image, asked, sourceTimeout } = this.#parts;
    const selects = selectionOf(asked.dle);
    const source = image.data((path) => this.#paths.push(path), selects);
    const late = (): AmandaError =>
      new AmandaError(
        'DATA_TIMEOUT',
        `the data of ${printable(asked.dle.disk)} stood still for ${sourceTimeout / 1000} s`,
      );
    const { signal } = this.#left;
    for await (const bytes of imageBytes(source, { timeout: sourceTimeout, late, signal })) {
      this.#native.update(bytes);
      yield bytes;
    }
    if (this.#native.bytes === 0) throw new AmandaError('SERVICE_FAILED', 'there was no data');
  }

  /** A failed dump closes its streams as a whole one does; the error in MESG tells them apart. */
  #fail(error: unknown): void {
    if (this.#left.signal.aborted) return;
    this.#told = reason(error, this.#parts.request);
    this.#end = { kind: 'failed', error: asAmandaError(error) };
  }

  async *#messages(): AsyncGenerator<Uint8Array, void, undefined> {
    const { asked, words } = this.#parts;
    try {
      yield dumpDescription(asked, { ...words, isCompressed: this.#gzipLevel !== undefined });
    } finally {
      // Resumed after it was sent. If the requester has left, the data must not wait either.
      this.#described.next();
    }
    await firstValueFrom(this.#made, { defaultValue: undefined });
    yield this.#conclusion();
    this.#concluded.next();
  }

  #conclusion(): Uint8Array {
    if (this.#told !== undefined) return messageLines(`error [${this.#told}]`);
    const sums = checksumLines(this.#parts.asked, this.#native, this.#sent);
    return messageLines(...sums, `size ${Math.ceil(this.#native.bytes / 1024)}`, 'end');
  }

  async *#index(): AsyncGenerator<Uint8Array, void, undefined> {
    await firstValueFrom(this.#made, { defaultValue: undefined });
    for (let first = 0; first < this.#paths.length; first += LINES_PER_CHUNK)
      yield Buffer.concat(this.#paths.slice(first, first + LINES_PER_CHUNK).map(indexLine));
  }
}

/** Lines of an index in one chunk. */
const LINES_PER_CHUNK = 500;
