import { RunningChecksum } from '../../operators/checksum.js';
import { formatChecksum, type Checksum } from '../../wire/crc32c.js';
import type { DumpHeader } from '../../wire/dumpfile.js';
import { AmandaError } from '../../wire/errors.js';
import { ChildStage } from './child-stage.js';
import { decodersOf } from './decoders.js';
import { TarReader } from './tar-reader.js';

/** What takes the bytes of an image at its end. */
export interface ImageTaker {
  /** Resolves when the bytes are taken, and their memory is free. */
  write(bytes: Uint8Array): Promise<void>;
  /** The image is whole. */
  finish(): Promise<void>;
  /** Gives up. */
  abort(): Promise<void>;
}

export interface ImagePipelineOptions {
  readonly header: DumpHeader;
  /** Reads the archive and chooses what is passed on; undefined passes all on, unread. */
  readonly reader: TarReader | undefined;
  readonly taker: ImageTaker;
  /** The programs of headers that may be run. */
  readonly allowed: readonly string[];
}

/**
 * The way of an image: through the programs that decrypt and decompress it, then past the reader,
 * then to the taker. The native checksum is compared. Construction throws as `decodersOf` does.
 */
export class ImagePipeline implements ImageTaker {
  readonly #header: DumpHeader;
  readonly #reader: TarReader | undefined;
  readonly #taker: ImageTaker;
  readonly #native = new RunningChecksum();
  readonly #stages: readonly ChildStage[];
  /** The programs' outputs are read to their ends. */
  readonly #flow: Promise<unknown>;

  constructor({ header, reader, taker, allowed }: ImagePipelineOptions) {
    this.#header = header;
    this.#reader = reader;
    this.#taker = taker;
    const task = 'decode the dump';
    this.#stages = decodersOf(header, allowed).map(
      (decoder) => new ChildStage({ ...decoder, task, hasOutput: true }),
    );
    this.#flow = Promise.all(this.#stages.map((stage, at) => this.#drain(stage, at)));
    this.#flow.catch(() => undefined);
  }

  /** Of the bytes as the dump program wrote them, so far. */
  get decoded(): Checksum {
    return this.#native;
  }

  /** Takes bytes as they were sent. */
  async write(bytes: Uint8Array): Promise<void> {
    const [first] = this.#stages;
    if (first === undefined) await this.#take(bytes);
    // A failure later in the flow says more than a broken pipe before it.
    else await Promise.race([first.write(bytes), this.#flow.then(() => undefined)]);
  }

  async finish(): Promise<void> {
    this.#stages[0]?.end();
    await this.#flow;
    await Promise.all(this.#stages.map(({ ended }) => ended));
    this.#reader?.finish();
    const { nativeChecksum: expected } = this.#header;
    if (expected !== undefined && !isEqual(expected, this.#native))
      throw new AmandaError(
        'CHECKSUM_MISMATCH',
        `The decoded image has the checksum ${String(this.#native)}; its header says ` +
          `${formatChecksum(expected.crc, expected.bytes)}.`,
      );
    await this.#taker.finish();
  }

  async abort(): Promise<void> {
    await Promise.all([...this.#stages.map((stage) => stage.kill()), this.#taker.abort()]);
  }

  async #drain(stage: ChildStage, at: number): Promise<void> {
    const next = this.#stages[at + 1];
    for await (const bytes of stage.output) await (next?.write(bytes) ?? this.#take(bytes));
    next?.end();
    await stage.ended;
  }

  /** Takes bytes as the dump program wrote them. */
  async #take(bytes: Uint8Array): Promise<void> {
    this.#native.update(bytes);
    if (this.#reader === undefined) {
      await this.#taker.write(bytes);
      return;
    }
    const pieces = this.#reader.push(bytes);
    const [first] = pieces;
    if (first === undefined) return;
    await this.#taker.write(pieces.length === 1 ? first : Buffer.concat(pieces));
  }
}

function isEqual(
  a: { readonly crc: number; readonly bytes: number },
  b: { readonly crc: number; readonly bytes: number },
): boolean {
  return a.crc === b.crc && a.bytes === b.bytes;
}
