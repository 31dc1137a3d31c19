import { expect } from 'vitest';

const { port1 } = new MessageChannel();

/** Gives the memory of a chunk away to another thread, as whoever has a worker do the work would. */
export function giveAway(chunk: Uint8Array): void {
  try {
    port1.postMessage(chunk, [chunk.buffer as ArrayBuffer]);
  } catch (error) {
    // From Node 21 on.
    expect(error).toHaveProperty('name', 'DataCloneError');
  }
}
