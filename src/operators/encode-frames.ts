import { map, type OperatorFunction } from 'rxjs';
import { encodeFrame, type Frame } from '../wire/frame.js';

/**
 * Encodes frames into bytes, one chunk a frame.
 *
 *     frames  -f---c-|        f: { handle: 1, payload: 3 bytes }   c: { handle: 1, payload: empty }
 *     bytes   -a---b-|        a: 8 + 3 bytes                       b: 8 bytes
 *
 * Errors with `BAD_ARGUMENT` for a handle that is no 32-bit number and with `FRAME_TOO_LARGE` for a
 * payload that no receiver accepts. Source: PROTOCOL.md, "Frames".
 *
 * @example
 * ```ts
 * import { encodeFrames } from 'rx-amanda';
 * import { of } from 'rxjs';
 *
 * of({ handle: 1, payload: new Uint8Array([3, 0]) })
 *   .pipe(encodeFrames())
 *   .subscribe((bytes) => console.log(bytes.length)); // 10: a header of 8 bytes, and an ACK
 * ```
 */
export function encodeFrames(): OperatorFunction<Frame, Uint8Array> {
  return map(encodeFrame);
}
