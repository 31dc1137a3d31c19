import { AmandaError } from '../wire/errors.js';
import { ByteQueue } from './byte-queue.js';
import { MAX_PACKET, type CaptureReader, type PacketSink } from './captured-packet.js';
import { uint16, uint32, type ByteOrder } from './numbers.js';
import { readInterface, type Interface } from './pcapng-interface.js';

const blocks = {
  section: 0x0a0d0d0a,
  interface: 1,
  obsoletePacket: 2,
  simplePacket: 3,
  enhancedPacket: 6,
} as const;

/** Bytes before a block's body, of a section's byte order mark, and after the body. */
const HEAD_BYTES = 8;
const MARK_BYTES = 4;
const TAIL_BYTES = 4;

/** The start of a packet's bytes in the body of each kind of block. */
const dataAt = {
  [blocks.obsoletePacket]: 20,
  [blocks.simplePacket]: 4,
  [blocks.enhancedPacket]: 20,
} as const;

/** The most bytes of a block besides the packet: options and comments. */
const MAX_OPTIONS = 262_144;
const MAX_INTERFACES = 4_096;

interface Block {
  readonly type: number;
  /** The whole length that the block announces. */
  readonly length: number;
  readonly offset: number;
}

/**
 * Reads pcapng files: sections of both byte orders, all three kinds of packets, and the link type
 * and clock of each interface. Skips other blocks.
 */
export class PcapngReader implements CaptureReader {
  readonly #queue = new ByteQueue();
  #order: ByteOrder | undefined;
  #head: { readonly bytes: Uint8Array; readonly offset: number } | undefined;
  #block: Block | undefined;
  #interfaces: Interface[] = [];
  #count = 0;
  #lastTime = 0;

  /** Whether a file with these first bytes is a pcapng file. */
  static reads(first: Uint8Array): boolean {
    return first.length >= 4 && uint32(first, 0, 'big') === blocks.section;
  }

  push(chunk: Uint8Array, sink: PacketSink): void {
    this.#queue.push(chunk);
    for (;;) {
      const block = (this.#block ??= this.#nextBlock());
      if (block === undefined) return;
      if (!isRead(block.type)) {
        this.#queue.skip(
          block.length - HEAD_BYTES - (block.type === blocks.section ? MARK_BYTES : 0),
        );
      } else {
        const rest = this.#queue.take(block.length - HEAD_BYTES);
        if (rest === undefined) return;
        const body = rest.subarray(0, -TAIL_BYTES);
        if (uint32(rest, body.length, this.#orderOfSection) !== block.length)
          throw damaged(block, 'has not the same length at both its ends');
        this.#read(block, body, sink);
      }
      this.#block = undefined;
    }
  }

  end(): void {
    if (
      this.#queue.length === 0 &&
      this.#queue.toSkip === 0 &&
      this.#head === undefined &&
      this.#block === undefined
    )
      return;
    const offset = this.#block?.offset ?? this.#head?.offset ?? this.#queue.offset;
    const place = this.#queue.toSkip > 0 ? 'a block' : `the block at byte ${offset}`;
    throw new AmandaError(
      'TRUNCATED',
      `The capture ends inside ${place}, after packet ${this.#count}.`,
    );
  }

  get #orderOfSection(): ByteOrder {
    return this.#order ?? 'little';
  }

  /** Takes the head of a block, and the byte order mark of a section. */
  #nextBlock(): Block | undefined {
    if (this.#head === undefined) {
      const offset = this.#queue.offset;
      const bytes = this.#queue.take(HEAD_BYTES);
      if (bytes === undefined) return undefined;
      this.#head = { bytes, offset };
    }
    const { bytes, offset } = this.#head;
    // The type of a section reads the same in both byte orders.
    const isSection = uint32(bytes, 0, 'big') === blocks.section;
    if (isSection) {
      const mark = this.#queue.take(MARK_BYTES);
      if (mark === undefined) return undefined;
      this.#beginSection(mark, offset);
    } else if (this.#order === undefined)
      throw new AmandaError(
        'BAD_CAPTURE',
        'This is no pcapng file: it does not begin with a section.',
      );
    this.#head = undefined;
    const block = {
      type: uint32(bytes, 0, this.#orderOfSection),
      length: uint32(bytes, 4, this.#orderOfSection),
      offset,
    };
    const least = HEAD_BYTES + TAIL_BYTES + (isSection ? MARK_BYTES : 0);
    if (block.length < least || block.length % 4 !== 0)
      throw damaged(block, `would have ${block.length} bytes`);
    if (isRead(block.type) && block.length > MAX_PACKET + MAX_OPTIONS)
      throw damaged(block, `would have ${block.length} bytes; none has so many`);
    return block;
  }

  #beginSection(mark: Uint8Array, offset: number): void {
    const big = uint32(mark, 0, 'big');
    if (big !== 0x1a2b3c4d && big !== 0x4d3c2b1a)
      throw new AmandaError(
        'BAD_CAPTURE',
        `The capture is damaged: the section at byte ${offset} has no byte order.`,
      );
    this.#order = big === 0x1a2b3c4d ? 'big' : 'little';
    this.#interfaces = [];
  }

  #read(block: Block, body: Uint8Array, sink: PacketSink): void {
    if (block.type === blocks.interface) {
      if (this.#interfaces.length === MAX_INTERFACES)
        throw damaged(block, `is interface number ${MAX_INTERFACES + 1}`);
      const found = readInterface(body, this.#orderOfSection);
      if (found === undefined) throw damaged(block, 'is too short for an interface');
      this.#interfaces.push(found);
      return;
    }
    const packet = this.#packet(block, body);
    if (packet === undefined) throw damaged(block, 'does not hold the packet that it announces');
    this.#count += 1;
    this.#lastTime = packet.at;
    sink({ number: this.#count, ...packet });
  }

  #packet(
    { type }: Block,
    body: Uint8Array,
  ): { readonly at: number; readonly link: number; readonly bytes: Uint8Array } | undefined {
    const order = this.#orderOfSection;
    const kind = type as keyof typeof dataAt;
    const start = dataAt[kind];
    if (body.length < start) return undefined;
    const number =
      kind === blocks.enhancedPacket
        ? uint32(body, 0, order)
        : kind === blocks.obsoletePacket
          ? uint16(body, 0, order)
          : 0;
    const found = this.#interfaces[number];
    if (found === undefined) return undefined;
    const room = body.length - start;
    if (kind === blocks.simplePacket) {
      const size = Math.min(uint32(body, 0, order), found.snapLength, room);
      // It has no time.
      return { at: this.#lastTime, link: found.link, bytes: body.subarray(start, start + size) };
    }
    const size = uint32(body, 12, order);
    if (size > room) return undefined;
    return {
      at: found.milliseconds(uint32(body, 4, order), uint32(body, 8, order)),
      link: found.link,
      bytes: body.subarray(start, start + size),
    };
  }
}

function isRead(type: number): boolean {
  return type === blocks.interface || Object.hasOwn(dataAt, type);
}

function damaged({ type, offset }: Block, how: string): AmandaError {
  return new AmandaError(
    'BAD_CAPTURE',
    `The capture is damaged: the block at byte ${offset} (of type ${type}) ${how}.`,
  );
}
