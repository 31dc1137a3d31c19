import { setImmediate } from 'node:timers/promises';
import { map, reduce, type Observable } from 'rxjs';

/**
 * Bytes that tell where in which stream they belong: the n-th byte of stream s is (n + s) mod 251. No size of a chunk or frame
 * divides 251, so that a piece that is lost, doubled or in another's place shows.
 */
const PERIOD = 251;

/** Bytes that are compared, or yielded, at once. */
const PIECE = 262_144;

/** Long enough for a piece from any phase of the pattern. */
const repeated = Buffer.from(Uint8Array.from({ length: PIECE + PERIOD }, (_, at) => at % PERIOD));

/** Bytes behind which the source lets timers and sockets have their turn: over a driver without I/O nothing else would. */
const TURN_EVERY = 16 * PIECE;

/** The pattern's bytes of a stream as a source that is pulled; `length` in bytes, may be Infinity. */
export async function* pattern(stream: number, length: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < length; at += PIECE) {
    if (at % TURN_EVERY === 0) await setImmediate();
    yield patternAt(stream, at, Math.min(PIECE, length - at));
  }
}

/** Throws an Error that names the place when a chunk is not what stands at `from` in a stream's pattern. Gives where the next chunk belongs. */
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

/** Bytes of a stream of dates: more than every buffer on the way holds. */
const DATED_BYTES = 32 * 1024 * 1024;

/** A source that is pulled, each piece of which begins with the time, in milliseconds, at which it was made. */
export async function* dated(): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < DATED_BYTES; at += PIECE) {
    if (at % TURN_EVERY === 0) await setImmediate();
    const piece = Buffer.alloc(PIECE);
    piece.writeDoubleBE(Date.now());
    yield piece;
  }
}

/** Reads a stream of dates to the end; gives the date of its last piece. */
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
