import { AmandaError } from '../wire/errors.js';
import { ByteQueue } from './byte-queue.js';
import { MAX_PACKET, type CaptureReader, type PacketSink } from './captured-packet.js';
import { uint32, type ByteOrder } from './numbers.js';

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;

/** The byte order and the units of time, by the first four bytes as a big-endian number. */
const forms: ReadonlyMap<number, { readonly order: ByteOrder; readonly perMillisecond: number }> =
  new Map([
    [0xa1b2c3d4, { order: 'big', perMillisecond: 1e3 }],
    [0xd4c3b2a1, { order: 'little', perMillisecond: 1e3 }],
    [0xa1b23c4d, { order: 'big', perMillisecond: 1e6 }],
    [0x4d3cb2a1, { order: 'little', perMillisecond: 1e6 }],
  ]);

/** Reads classic pcap files: both byte orders, with microseconds or nanoseconds. */
export class PcapReader implements CaptureReader {
  readonly #queue = new ByteQueue();
  #order: ByteOrder = 'little';
  #perMillisecond = 1e3;
  #link: number | undefined;
  #record: { readonly at: number; readonly size: number; readonly offset: number } | undefined;
  #count = 0;

  /** Whether a file with these first bytes is a pcap file. */
  static reads(first: Uint8Array): boolean {
    return first.length >= 4 && forms.has(uint32(first, 0, 'big'));
  }

  push(chunk: Uint8Array, sink: PacketSink): void {
    this.#queue.push(chunk);
    const link = (this.#link ??= this.#fileHeader());
    if (link === undefined) return;
    for (;;) {
      const record = (this.#record ??= this.#recordHeader());
      if (record === undefined) return;
      const bytes = this.#queue.take(record.size);
      if (bytes === undefined) return;
      this.#record = undefined;
      this.#count += 1;
      sink({ number: this.#count, at: record.at, link, bytes });
    }
  }

  end(): void {
    if (this.#link === undefined)
      throw new AmandaError(
        'TRUNCATED',
        `The capture ends inside its header, ${this.#queue.length} of ${FILE_HEADER_BYTES} bytes in.`,
      );
    if (this.#record !== undefined) {
      throw new AmandaError(
        'TRUNCATED',
        `The capture ends inside packet ${this.#count + 1} at byte ${this.#record.offset}, ${this.#queue.length} of ${this.#record.size} bytes in.`,
      );
    }
    if (this.#queue.length > 0) {
      throw new AmandaError(
        'TRUNCATED',
        `The capture ends inside the header of packet ${this.#count + 1} at byte ${this.#queue.offset}.`,
      );
    }
  }

  #fileHeader(): number | undefined {
    const header = this.#queue.take(FILE_HEADER_BYTES);
    if (header === undefined) return undefined;
    const form = forms.get(uint32(header, 0, 'big'));
    if (form === undefined)
      throw new AmandaError(
        'BAD_CAPTURE',
        'This is no pcap file: its first four bytes are not those of one.',
      );
    this.#order = form.order;
    this.#perMillisecond = form.perMillisecond;
    // Other bits say whether a checksum follows each frame; an IP packet has its own length.
    return uint32(header, 20, form.order) & 0x03ff_ffff;
  }

  #recordHeader():
    { readonly at: number; readonly size: number; readonly offset: number } | undefined {
    const offset = this.#queue.offset;
    const header = this.#queue.take(RECORD_HEADER_BYTES);
    if (header === undefined) return undefined;
    const size = uint32(header, 8, this.#order);
    if (size > MAX_PACKET) {
      throw new AmandaError(
        'BAD_CAPTURE',
        `The capture is damaged: packet ${this.#count + 1} at byte ${offset} would have ${size} bytes; none has over ${MAX_PACKET}.`,
      );
    }
    return {
      at:
        uint32(header, 0, this.#order) * 1e3 +
        uint32(header, 4, this.#order) / this.#perMillisecond,
      size,
      offset,
    };
  }
}
