import { expect } from 'vitest';

const { port1 } = new MessageChannel();

/** Transfers the memory of a chunk to another thread, as a program with a worker would. */
export function giveAway(chunk: Uint8Array): void {
  try {
    port1.postMessage(chunk, [chunk.buffer as ArrayBuffer]);
  } catch (error) {
    // From Node 21 on.
    expect(error).toHaveProperty('name', 'DataCloneError');
  }
}
