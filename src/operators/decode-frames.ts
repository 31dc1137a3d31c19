import { Observable, type OperatorFunction } from 'rxjs';
import { FrameDecoder, type DecodeOptions, type Frame } from '../wire/frame.js';

/**
 * Decodes TCPM frames from bytes cut at arbitrary places.
 *
 *     bytes   -a--b-c--d-|        a..d: an 8-byte header and a 3-byte payload, in four cuts
 *     frames  ---------f-|        f: { handle: 1, payload: 3 bytes }
 *
 * A payload that lies in one chunk, or in chunks that lie one after another in memory, is a view;
 * any other is a copy. A chunk must not change until its frames are complete. Errors with
 * `FRAME_TOO_LARGE` or `TEXT_IN_CHANNEL` for a header that cannot be one, and with `TRUNCATED` when
 * the source completes inside a frame. Source: PROTOCOL.md, "Frames".
 *
 * @example
 * ```ts
 * import { createReadStream } from 'node:fs';
 * import { decodeFrames } from 'rx-amanda';
 * import { from } from 'rxjs';
 *
 * from(createReadStream('sent.bin') as AsyncIterable<Uint8Array>)
 *   .pipe(decodeFrames())
 *   .subscribe(({ handle, payload }) => console.log(handle, payload.length));
 * ```
 */
export function decodeFrames(options: DecodeOptions = {}): OperatorFunction<Uint8Array, Frame> {
  return (chunks) =>
    new Observable((frames) => {
      const decoder = new FrameDecoder(options);
      const emit = (handle: number, payload: Uint8Array): void => {
        frames.next({ handle, payload });
      };
      const attempt = (step: () => void): void => {
        try {
          step();
        } catch (error) {
          frames.error(error);
        }
      };
      return chunks.subscribe({
        next: (chunk) => {
          attempt(() => {
            decoder.decode(chunk, emit);
          });
        },
        error: (error: unknown) => {
          frames.error(error);
        },
        complete: () => {
          attempt(() => {
            decoder.end();
            frames.complete();
          });
        },
      });
    });
}
