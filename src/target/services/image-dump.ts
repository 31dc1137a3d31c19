import { EMPTY, catchError, concat, from, ignoreElements, tap, type ObservableInput } from 'rxjs';
import type { StreamSource } from '../../connection/pump.js';
import type { StreamHandler } from '../../exchange/service.js';
import { Checksum } from '../../operators/checksum.js';
import { iterate } from '../../operators/iterate.js';
import { isPullable } from '../../operators/pull.js';
import { quote } from '../../wire/quote.js';
import { printable, encodeText } from '../../wire/text.js';
import type { BackupImage } from './backup-image.js';
import type { DumpHead } from './dump-request.js';
import { indexLine } from './index-lines.js';

/**
 * One dump of what a program makes, as the streams of a sendbackup.
 *
 *     MESG   -m--------------n|       m: start and info  n: checksums, size, end; or the error
 *     DATA   ---a--b--c-----|         not before m has been sent
 *     INDEX  -----------------i|      what was listed while the data were made
 */
export class ImageDump {
  readonly #asked: DumpHead;
  readonly #image: BackupImage;
  readonly #tar: string;
  readonly #checksum = new Checksum();
  readonly #described = new Signal();
  readonly #made = new Signal();
  readonly #paths: string[] = [];
  #failure: string | undefined;

  constructor(asked: DumpHead, image: BackupImage, tar: string) {
    this.#asked = asked;
    this.#image = image;
    this.#tar = tar;
  }

  /** In the order that a dumper demands. */
  streams(): Readonly<Record<string, StreamHandler | undefined>> {
    const { dle, features } = this.#asked;
    return {
      DATA: () => this.#data(),
      MESG: () => this.#messages(),
      INDEX: dle.index === true ? () => this.#index() : undefined,
      ...(features.has('fe_sendbackup_stream_state') ? { STATE: () => EMPTY } : {}),
    };
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
    await this.#described.given;
    try {
      for await (const bytes of isPullable<Uint8Array>(source) ? iterate(source) : source) {
        this.#checksum.update(bytes);
        yield bytes;
      }
      this.#made.give();
    } catch (error) {
      this.#fail(error);
    }
  }

  #pushed(source: ObservableInput<Uint8Array>): StreamSource {
    return concat(from(this.#described.given).pipe(ignoreElements()), from(source)).pipe(
      tap({ next: (bytes) => this.#checksum.update(bytes), complete: () => this.#made.give() }),
      catchError((error: unknown) => {
        this.#fail(error);
        return EMPTY;
      }),
    );
  }

  /** A failed dump ends its streams as a whole one does; what tells them apart is the error in its messages. */
  #fail(error: unknown): void {
    this.#failure = printable(error instanceof Error ? error.message : String(error), 1_000);
    this.#made.give();
  }

  async *#messages(): AsyncGenerator<Uint8Array, void, undefined> {
    const { host, dle, level } = this.#asked;
    try {
      yield sendbackup(
        `start [${host}:${quote(dle.disk)} level ${level}]`,
        `info BACKUP=${this.#tar}`,
        `info RECOVER_CMD=${this.#tar} -xpGf - ...`,
        'info end',
      );
    } finally {
      // Asked to go on, which is to say that it has been sent. A requester that has left wants the data to be let go as well.
      this.#described.give();
    }
    await this.#made.given;
    yield this.#conclusion();
  }

  #conclusion(): Uint8Array {
    const failure = this.#failure ?? (this.#checksum.bytes === 0 ? 'there was no data' : undefined);
    if (failure !== undefined) return sendbackup(`error [${failure}]`);
    const sums = this.#asked.features.has('fe_sendbackup_crc')
      ? [`native-CRC ${this.#checksum.toString()}`, `client-CRC ${this.#checksum.toString()}`]
      : [];
    return sendbackup(...sums, `size ${Math.ceil(this.#checksum.bytes / 1024)}`, 'end');
  }

  async *#index(): AsyncGenerator<Uint8Array, void, undefined> {
    await this.#made.given;
    for (let first = 0; first < this.#paths.length; first += AT_ONCE)
      yield Buffer.concat(this.#paths.slice(first, first + AT_ONCE).map(indexLine));
  }
}

/** Lines of an index in one chunk. */
const AT_ONCE = 500;

/** Something that happens once and is waited for. */
class Signal {
  readonly given: Promise<void>;
  give: () => void = () => undefined;

  constructor() {
    this.given = new Promise((resolve) => {
      this.give = resolve;
    });
  }
}

function isIterable(
  source: StreamSource,
): source is Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  return Symbol.asyncIterator in source || Symbol.iterator in source;
}

function sendbackup(...lines: readonly string[]): Uint8Array {
  return encodeText(lines.map((line) => `sendbackup: ${line}\n`).join(''));
}
