import type { Readable, Writable } from 'node:stream';
import { hold, release } from '../transport/buffer-pool.js';

/** One direction of a relay. */
export interface Passage {
  readonly input: Readable;
  readonly output: Writable;
  /** Subscribes to the input's chunks; default its `data` events. */
  readonly listen?: ((next: (chunk: Uint8Array) => void) => unknown) | undefined;
  /** Called with each chunk after the output took it. */
  readonly onBytes: (chunk: Uint8Array) => void;
}

/**
 * Passes bytes on unchanged. It stops reading while the output is full, so that a slow reader slows
 * the sender. The caller passes on ends and errors.
 *
 * A chunk's memory is held until the output has written it.
 */
export function passOn({ input, output, listen, onBytes }: Passage): void {
  const pass = (chunk: Uint8Array): void => {
    if (output.destroyed || output.writableEnded) return;
    hold(chunk);
    output.write(chunk, () => {
      release(chunk);
    });
    // The result of `write` counts bytes that the system already has.
    if (output.writableLength >= output.writableHighWaterMark) input.pause();
    onBytes(chunk);
  };
  output.on('drain', () => input.resume());
  if (listen === undefined) input.on('data', pass);
  else listen(pass);
  input.resume();
}
