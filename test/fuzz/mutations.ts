import { below, randomFrom, type Random } from './random.js';
import { directions, payloads, pcaps, texts } from './samples.js';

/** Most inputs are short, as what is decoded is; one in so many is as long as a recording. */
const LONG_EVERY = 500;
const SHORT = 700;
const LONG = 70_000;

/** Inputs are put together here. */
const scratch = new Uint8Array(LONG);

const pools = [directions, payloads, payloads, texts, pcaps] as const;

/**
 * The bytes of an input, made from its number alone. It is a sample that the decoder reads, or a
 * row of recordings, payloads, words and noise. Bytes of it are changed, left out, doubled, put in
 * and cut off. Cheap, so that millions can be tried. The same number gives the same bytes while
 * recordings and samples stay the same.
 */
export function inputOf(number: number, samples: readonly Uint8Array[]): Uint8Array {
  const random = randomFrom(number);
  const sample = random() < 0.5 ? samples[below(random, samples.length)] : undefined;
  const limit =
    sample === undefined
      ? number % LONG_EVERY === 0
        ? LONG
        : SHORT
      : Math.min(sample.length + SHORT, LONG);
  const room = scratch.subarray(0, limit);
  let length = append(room, 0, sample ?? piece(random, limit));
  if (sample === undefined)
    for (let pieces = below(random, 4); pieces > 0; pieces -= 1)
      length = append(room, length, piece(random, limit));
  for (let damages = below(random, 5); damages > 0; damages -= 1)
    length = damage(room, length, random);
  return room.slice(0, length);
}

function piece(random: Random, limit: number): Uint8Array {
  const pool = pools[below(random, pools.length + 1)];
  // None of the pools: noise.
  if (pool === undefined)
    return Uint8Array.from({ length: below(random, 40) }, () => below(random, 256));
  const whole = pool[below(random, pool.length)] ?? new Uint8Array(0);
  // From the front twice in three times, since that is where a decoder begins.
  const start = below(random, 3) > 0 ? 0 : below(random, whole.length);
  return whole.subarray(start, start + 1 + below(random, limit));
}

function append(room: Uint8Array, length: number, bytes: Uint8Array): number {
  const taken = Math.min(bytes.length, room.length - length);
  room.set(bytes.subarray(0, taken), length);
  return length + taken;
}

/** Numbers that are on the edge of something, as one byte each. */
const edges = [
  0x00, 0x01, 0x0a, 0x0d, 0x20, 0x22, 0x30, 0x3c, 0x5c, 0x7f, 0x80, 0xfe, 0xff,
] as const;

function damage(room: Uint8Array, length: number, random: Random): number {
  if (length === 0) return 0;
  const at = below(random, length);
  const span = 1 + below(random, Math.min(40, length - at));
  switch (below(random, 6)) {
    case 0:
      room[at] = (room[at] ?? 0) ^ (1 << below(random, 8));
      return length;
    case 1:
      room[at] = edges[below(random, edges.length)] ?? 0;
      return length;
    case 2:
      room.copyWithin(at, at + span, length);
      return length - span;
    case 3:
      return insert(room, length, at, room.slice(at, at + span));
    case 4:
      return insert(room, length, at, texts[below(random, texts.length)] ?? new Uint8Array(0));
    default:
      return at;
  }
}

function insert(room: Uint8Array, length: number, at: number, bytes: Uint8Array): number {
  const taken = Math.min(bytes.length, room.length - length);
  room.copyWithin(at + taken, at, length);
  room.set(bytes.subarray(0, taken), at);
  return length + taken;
}
