import {
  EMPTY,
  ReplaySubject,
  catchError,
  concat,
  firstValueFrom,
  from,
  ignoreElements,
  take,
  tap,
  type ObservableInput,
} from 'rxjs';
import type { StreamSource } from '../../connection/pump.js';
import type { IncomingRequest, StreamHandler } from '../../exchange/service.js';
import { RunningChecksum } from '../../operators/checksum.js';
import { iterate } from '../../operators/iterate.js';
import { isPullable } from '../../operators/pull.js';
import type { BackupImage } from './backup-image.js';
import type { DumpHead } from './dump-request.js';
import { reason } from './failure-reason.js';
import { indexLine } from './index-lines.js';
import {
  checksumLines,
  dumpDescription,
  messageLines,
  sendbackupStreams,
} from './sendbackup-streams.js';

export interface ImageDumpParts {
  readonly asked: DumpHead;
  readonly image: BackupImage;
  /** GNU tar, where the dump is restored. */
  readonly tar: string;
  readonly request: IncomingRequest;
}

/**
 * One dump of a program's image, as the streams of a sendbackup.
 *
 *     MESG   -m--------------n|       m: start and info  n: checksums, size, end; or the error
 *     DATA   ---a--b--c-----|         starts when m has been sent
 *     INDEX  -----------------i|      what was listed while the data were made
 */
export class ImageDump {
  readonly #asked: DumpHead;
  readonly #image: BackupImage;
  readonly #tar: string;
  readonly #request: IncomingRequest;
  readonly #checksum = new RunningChecksum();
  /** Emits when the description has been sent. */
  readonly #described = new ReplaySubject<void>(1);
  /** Emits when the data have been sent, or have failed. */
  readonly #made = new ReplaySubject<void>(1);
  readonly #paths: string[] = [];
  #failure: string | undefined;

  constructor({ asked, image, tar, request }: ImageDumpParts) {
    this.#asked = asked;
    this.#image = image;
    this.#tar = tar;
    this.#request = request;
  }

  streams(): Readonly<Record<string, StreamHandler | undefined>> {
    return sendbackupStreams(this.#asked, {
      data: () => this.#data(),
      messages: () => this.#messages(),
      index: this.#asked.dle.index === true ? () => this.#index() : undefined,
    });
  }

  #data(): StreamSource {
    try {
      const source = this.#image.data((path) => this.#paths.push(path));
      return isIterable(source) ? this.#pulled(source) : this.#pushed(source);
    } catch (error) {
      this.#fail(error);
      return EMPTY;
    }
  }

  async *#pulled(
    source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    await firstValueFrom(this.#described, { defaultValue: undefined });
    try {
      for await (const bytes of isPullable<Uint8Array>(source) ? iterate(source) : source) {
        this.#checksum.update(bytes);
        yield bytes;
      }
      this.#made.next();
    } catch (error) {
      this.#fail(error);
    }
  }

  #pushed(source: ObservableInput<Uint8Array>): StreamSource {
    const described = this.#described.pipe(take(1), ignoreElements());
    return concat(described, from(source)).pipe(
      tap({ next: (bytes) => this.#checksum.update(bytes), complete: () => this.#made.next() }),
      catchError((error: unknown) => {
        this.#fail(error);
        return EMPTY;
      }),
    );
  }

  /** A failed dump closes its streams as a whole one does; the error in MESG tells them apart. */
  #fail(error: unknown): void {
    this.#failure = reason(error, this.#request);
    this.#made.next();
  }

  async *#messages(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield dumpDescription(this.#asked, this.#tar);
    } finally {
      // Resumed after it was sent. If the requester has left, the data must not wait either.
      this.#described.next();
    }
    await firstValueFrom(this.#made, { defaultValue: undefined });
    yield this.#conclusion();
  }

  #conclusion(): Uint8Array {
    const failure = this.#failure ?? (this.#checksum.bytes === 0 ? 'there was no data' : undefined);
    if (failure !== undefined) return messageLines(`error [${failure}]`);
    const kilobytes = Math.ceil(this.#checksum.bytes / 1024);
    return messageLines(...checksumLines(this.#asked, this.#checksum), `size ${kilobytes}`, 'end');
  }

  async *#index(): AsyncGenerator<Uint8Array, void, undefined> {
    await firstValueFrom(this.#made, { defaultValue: undefined });
    for (let first = 0; first < this.#paths.length; first += LINES_PER_CHUNK)
      yield Buffer.concat(this.#paths.slice(first, first + LINES_PER_CHUNK).map(indexLine));
  }
}

/** Lines of an index in one chunk. */
const LINES_PER_CHUNK = 500;

function isIterable(
  source: StreamSource,
): source is Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  return Symbol.asyncIterator in source || Symbol.iterator in source;
}
