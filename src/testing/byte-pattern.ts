import { setImmediate } from 'node:timers/promises';
import { map, reduce, type Observable } from 'rxjs';

/**
 * Byte n of stream s is (n + s) mod 251. No size of a chunk or frame divides 251, so that a lost,
 * repeated or misplaced piece shows.
 */
const PERIOD = 251;

/** Bytes that are compared or yielded together. */
const PIECE = 262_144;

/** Contains a piece for every phase of the pattern. */
const repeated = Buffer.from(Uint8Array.from({ length: PIECE + PERIOD }, (_, at) => at % PERIOD));

/** After so many bytes the source yields to the event loop, which a driver without I/O does not. */
const TURN_EVERY = 16 * PIECE;

/** The pattern of a stream as a pulled source; `length` may be Infinity. */
export async function* pattern(stream: number, length: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < length; at += PIECE) {
    if (at % TURN_EVERY === 0) await setImmediate();
    yield patternAt(stream, at, Math.min(PIECE, length - at));
  }
}

/** Compares a chunk with a stream's pattern at `from`; throws at a difference. Returns its end. */
export function verifyPattern(stream: number, from: number, chunk: Uint8Array): number {
  for (let at = 0; at < chunk.length; at += PIECE) {
    const piece = chunk.subarray(at, at + PIECE);
    const wanted = patternAt(stream, from + at, piece.length);
    if (Buffer.compare(piece, wanted) === 0) continue;
    const wrong = piece.findIndex((byte, index) => byte !== wanted[index]);
    throw new Error(
      `byte ${from + at + wrong} of stream ${stream} is ${piece[wrong]} and should be ${wanted[wrong]}`,
    );
  }
  return from + chunk.length;
}

function patternAt(stream: number, at: number, length: number): Uint8Array {
  const phase = (at + stream) % PERIOD;
  return repeated.subarray(phase, phase + length);
}

/** Bytes of a stream of dates: more than all buffers between the two sides hold. */
const DATED_BYTES = 32 * 1024 * 1024;

/** A pulled source; each piece begins with the time at which it was made. */
export async function* dated(): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < DATED_BYTES; at += PIECE) {
    if (at % TURN_EVERY === 0) await setImmediate();
    const piece = Buffer.alloc(PIECE);
    piece.writeDoubleBE(Date.now());
    yield piece;
  }
}

/** Reads a stream of dates to the end; emits the time of its last piece. */
export function lastDate(source: Observable<Uint8Array>): Observable<number> {
  const date = Buffer.alloc(8);
  const begins = DATED_BYTES - PIECE;
  const read = (at: number, chunk: Uint8Array): number => {
    for (
      let place = Math.max(begins, at);
      place < Math.min(begins + date.length, at + chunk.length);
      place += 1
    )
      date[place - begins] = chunk[place - at] ?? 0;
    return at + chunk.length;
  };
  return source.pipe(
    reduce(read, 0),
    map((length) => {
      if (length !== DATED_BYTES)
        throw new Error(`${length} bytes came and should be ${DATED_BYTES}`);
      return date.readDoubleBE();
    }),
  );
}
