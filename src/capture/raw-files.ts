import { HEADER_BYTES, isProtocolHandle } from '../wire/frame-header.js';
import { MAX_PAYLOAD } from '../wire/frame.js';
import { packetTypes } from '../wire/packet.js';
import type { Role } from '../wire/role.js';
import { ByteQueue } from './byte-queue.js';
import { uint32 } from './numbers.js';
import type { SavedEvent } from './saved-event.js';

/**
 * Emits the conversation in two raw files: the bytes that the initiator sent, and the target's.
 *
 * Such files hold no times. Frames are emitted one a millisecond, in a possible order. An answer
 * follows its question, and a stream the acknowledgement of the reply that names it.
 */
export async function* rawEvents(
  files: Readonly<Record<Role, AsyncIterable<Uint8Array>>>,
  names: Readonly<Record<Role, string>>,
): AsyncGenerator<SavedEvent> {
  const sides = { initiator: new RawFile(files.initiator), target: new RawFile(files.target) };
  const order = new Order();
  const connection = 1;
  let at = 0;
  const [from, to] = [
    { name: names.initiator, port: undefined },
    { name: names.target, port: undefined },
  ];
  yield { kind: 'opened', connection, at, from, to, isWhole: true };
  for (const ended = new Set<Role>(); ended.size < 2;) {
    const [initiator, target] = [await sides.initiator.next(), await sides.target.next()];
    const isTarget =
      ended.has('initiator') || (!ended.has('target') && order.isTargetFirst(initiator, target));
    const [sender, next] = isTarget
      ? (['target', target] as const)
      : (['initiator', initiator] as const);
    sides[sender].take();
    at += 1;
    if (next.kind === 'end') {
      ended.add(sender);
      yield { kind: 'ended', connection, at, sender };
      continue;
    }
    if (next.kind === 'frame') order.sent(sender, next);
    for (const bytes of next.parts) yield { kind: 'bytes', connection, at, sender, bytes };
  }
  yield { kind: 'closed', connection, at, isComplete: true };
}

interface RawFrame {
  readonly kind: 'frame';
  readonly handle: number;
  /** The first byte of the payload; undefined for a close. */
  readonly type: number | undefined;
  /** Header and payload. */
  readonly parts: readonly Uint8Array[];
}

/** What comes next in a file: a frame, bytes that are not a frame, or the end. */
type Next =
  | RawFrame
  | { readonly kind: 'rest'; readonly parts: readonly Uint8Array[] }
  | { readonly kind: 'end' };

/** Reads the frames of a file on demand, and the plain bytes after the last frame. */
class RawFile {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #queue = new ByteQueue();
  #header: Uint8Array | undefined;
  #isFrames = true;
  #next: Next | undefined;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Peeks: returns the same item until `take()`. */
  async next(): Promise<Next> {
    while (this.#next === undefined) {
      this.#next = this.#isFrames ? this.#frame() : this.#rest();
      if (this.#next !== undefined) break;
      const read = await this.#chunks.next();
      if (read.done === true) this.#next = this.#rest() ?? { kind: 'end' };
      else this.#queue.push(read.value);
    }
    return this.#next;
  }

  take(): void {
    this.#next = undefined;
  }

  #frame(): Next | undefined {
    const header = (this.#header ??= this.#queue.take(HEADER_BYTES));
    if (header === undefined) return undefined;
    const length = uint32(header, 0);
    if (length > MAX_PAYLOAD) {
      this.#isFrames = false;
      return this.#rest();
    }
    const payload = this.#queue.take(length);
    if (payload === undefined) return undefined;
    this.#header = undefined;
    return {
      kind: 'frame',
      handle: uint32(header, 4),
      type: payload[0],
      parts: length === 0 ? [header] : [header, payload],
    };
  }

  #rest(): Next | undefined {
    const parts = [this.#header ?? NOTHING, this.#queue.take(this.#queue.length) ?? NOTHING].filter(
      ({ length }) => length > 0,
    );
    this.#header = undefined;
    return parts.length === 0 ? undefined : { kind: 'rest', parts };
  }
}

const NOTHING = new Uint8Array(0);

/** Guesses which of two frames was sent first. */
class Order {
  /** Protocol handles that carry a request. */
  readonly #asked = new Set<number>();
  /** The number of unacknowledged replies on each protocol handle. */
  readonly #unacknowledged = new Map<number, number>();

  sent(sender: Role, { handle, type }: RawFrame): void {
    if (!isProtocolHandle(handle) || type === undefined) return;
    const replies = this.#unacknowledged.get(handle) ?? 0;
    if (sender === 'initiator') this.#asked.add(handle);
    if (sender === 'initiator' && type === packetTypes.ACK)
      this.#setUnacknowledged(handle, replies - 1);
    if (sender === 'target' && (type === packetTypes.REP || type === packetTypes.PREP))
      this.#setUnacknowledged(handle, replies + 1);
  }

  isTargetFirst(initiator: Next, target: Next): boolean {
    if (initiator.kind === 'end' || target.kind === 'end') return target.kind !== 'end';
    if (initiator.kind === 'rest' || target.kind === 'rest') return target.kind === 'frame';
    return !this.#targetWaits(target);
  }

  /** Whether the target has to wait for a packet of the initiator. */
  #targetWaits({ handle, type }: RawFrame): boolean {
    if (!isProtocolHandle(handle)) return this.#unacknowledged.size > 0;
    return !this.#asked.has(handle) || (type === undefined && this.#unacknowledged.has(handle));
  }

  #setUnacknowledged(handle: number, replies: number): void {
    if (replies > 0) this.#unacknowledged.set(handle, replies);
    else this.#unacknowledged.delete(handle);
  }
}
