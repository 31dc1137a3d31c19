import type { Readable, Writable } from 'node:stream';

/** One direction of a relay. */
export interface Passage {
  readonly input: Readable;
  readonly output: Writable;
  /** Hands over what arrives; default the input's `data` events. */
  readonly listen?: ((next: (chunk: Uint8Array) => void) => unknown) | undefined;
  /** Called with each chunk once it has been handed to the output. */
  readonly onBytes: (chunk: Uint8Array) => void;
}

/**
 * Passes bytes on as they are. While the output holds as much as it wants to, the input is not read, so that who sends is slowed by
 * who reads. What ends or breaks a direction is for the caller to pass on.
 */
export function passOn({ input, output, listen, onBytes }: Passage): void {
  const pass = (chunk: Uint8Array): void => {
    if (output.destroyed || output.writableEnded) return;
    output.write(chunk);
    // What `write` says counts bytes that have already gone to the system.
    if (output.writableLength >= output.writableHighWaterMark) input.pause();
    onBytes(chunk);
  };
  output.on('drain', () => input.resume());
  if (listen === undefined) input.on('data', pass);
  else listen(pass);
  input.resume();
}
