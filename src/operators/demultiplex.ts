import { Observable, type Observer, type OperatorFunction } from 'rxjs';
import type { Frame } from '../wire/frame.js';

/** Receives what arrives on one handle: its payloads, and its close. */
export type FrameReceiver = Pick<Observer<Uint8Array>, 'next' | 'complete'>;

/**
 * Hands the payload of each frame to the receiver of its handle.
 *
 *     frames    -a-b-a-A-|        a: handle 1, A: its close, b: handle 2
 *     handle 1  -a---a-|
 *     handle 2  ---b-----         open: the result reports the end
 *     out       ---------|
 *
 * A frame without a receiver is dropped. Errors with what `receiverOf` throws.
 * Source: PROTOCOL.md, "Frames".
 */
export function demultiplex(
  receiverOf: (frame: Frame) => FrameReceiver | undefined,
): OperatorFunction<Frame, never> {
  return (frames) =>
    new Observable((out) =>
      frames.subscribe({
        next: (frame) => {
          try {
            const receiver = receiverOf(frame);
            if (frame.payload.length > 0) receiver?.next(frame.payload);
            else receiver?.complete();
          } catch (error) {
            out.error(error);
          }
        },
        error: (error: unknown) => {
          out.error(error);
        },
        complete: () => {
          out.complete();
        },
      }),
    );
}
