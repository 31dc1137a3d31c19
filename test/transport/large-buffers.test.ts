import { expect, test } from 'vitest';
import { HEADROOM_BYTES, LARGE_BYTES, LargeBuffers } from '../../src/transport/large-buffers.js';

const ROOM = LARGE_BYTES - HEADROOM_BYTES;

/** A buffer of which all has been handed over, as when a read has filled it. */
function full(buffers: LargeBuffers): ArrayBuffer {
  const { buffer } = buffers.next();
  buffers.handOver(buffer, ROOM);
  return buffer;
}

test('a buffer is read into again when all its bytes have been given back, in whatever order', () => {
  const buffers = new LargeBuffers();
  const buffer = full(buffers);
  buffers.giveBack(buffer, 100_000, LARGE_BYTES, true);
  expect(buffers.next().buffer).not.toBe(buffer);
  buffers.giveBack(buffer, HEADROOM_BYTES, 100_000, true);
  expect(buffers.next().buffer).toBe(buffer);
});

test('what was put into the headroom was handed over elsewhere and does not count', () => {
  const buffers = new LargeBuffers();
  const buffer = full(buffers);
  buffers.giveBack(buffer, HEADROOM_BYTES - 5_000, LARGE_BYTES - 1, true);
  expect(buffers.next().buffer).not.toBe(buffer);
  buffers.giveBack(buffer, LARGE_BYTES - 1, LARGE_BYTES, true);
  expect(buffers.next().buffer).toBe(buffer);
});

test('a buffer that is being read into is not free, however much of it has been given back', () => {
  const buffers = new LargeBuffers();
  const { buffer } = buffers.next();
  buffers.handOver(buffer, 50_000);
  buffers.giveBack(buffer, HEADROOM_BYTES, HEADROOM_BYTES + 50_000, false);
  expect(buffers.next().buffer).not.toBe(buffer);
  buffers.handOver(buffer, 1_000);
  buffers.giveBack(buffer, HEADROOM_BYTES + 50_000, HEADROOM_BYTES + 51_000, true);
  expect(buffers.next().buffer).toBe(buffer);
});

test('each use of a buffer is counted anew', () => {
  const buffers = new LargeBuffers();
  for (let use = 0; use < 3; use += 1) {
    const buffer = full(buffers);
    buffers.giveBack(buffer, HEADROOM_BYTES, LARGE_BYTES - 1, true);
    expect(buffers.next().buffer).not.toBe(buffer);
    buffers.giveBack(buffer, LARGE_BYTES - 1, LARGE_BYTES, true);
  }
});

test('bytes that are given back twice make a buffer that is never read into again, and other memory means nothing', () => {
  const buffers = new LargeBuffers();
  const buffer = full(buffers);
  buffers.giveBack(buffer, 200_000, LARGE_BYTES, true);
  buffers.giveBack(buffer, 200_000, LARGE_BYTES, true);
  buffers.giveBack(buffer, HEADROOM_BYTES, 200_000, true);
  buffers.giveBack(new ArrayBuffer(LARGE_BYTES), HEADROOM_BYTES, LARGE_BYTES, true);
  const next = [buffers.next().buffer, buffers.next().buffer];
  expect(next).not.toContain(buffer);
});

test('a buffer that was transferred is not read into again', () => {
  const buffers = new LargeBuffers();
  const buffer = full(buffers);
  structuredClone(buffer, { transfer: [buffer] });
  buffers.giveBack(buffer, HEADROOM_BYTES, LARGE_BYTES, true);
  expect(buffers.next().length).toBe(ROOM);
});

test('no more than a few wait to be read into again', () => {
  const buffers = new LargeBuffers();
  const used = Array.from({ length: 8 }, () => full(buffers));
  for (const buffer of used) buffers.giveBack(buffer, HEADROOM_BYTES, LARGE_BYTES, true);
  const next = Array.from({ length: 8 }, () => buffers.next().buffer);
  expect(next.filter((buffer) => used.includes(buffer))).toHaveLength(4);
});
