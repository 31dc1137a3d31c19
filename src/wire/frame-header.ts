import { inRange } from './ranges.js';

/**
 * Bytes of a frame header: payload length and handle, both 32 bits in network byte order.
 * Source: PROTOCOL.md, "Frames".
 */
export const HEADER_BYTES = 8;

/** The first stream of a target; each next one is one lower. Source: PROTOCOL.md, "Frames". */
export const FIRST_STREAM_HANDLE = 499_999;

const PROTOCOL_HANDLE_END = 10_000;

/** Whether a handle carries packets, not the bytes of a stream. Source: PROTOCOL.md, "Frames". */
export function isProtocolHandle(handle: number): boolean {
  return handle < PROTOCOL_HANDLE_END;
}

/** Throws `BAD_ARGUMENT` for a handle that is no 32-bit number. */
export function checkHandle(handle: number): void {
  inRange('A handle', handle, 0, 0xffff_ffff);
}

/** Writes the header of a frame into `target` at `offset`; nothing is checked. */
export function writeHeader(
  target: Uint8Array,
  offset: number,
  handle: number,
  length: number,
): void {
  target[offset] = length >>> 24;
  target[offset + 1] = length >>> 16;
  target[offset + 2] = length >>> 8;
  target[offset + 3] = length;
  target[offset + 4] = handle >>> 24;
  target[offset + 5] = handle >>> 16;
  target[offset + 6] = handle >>> 8;
  target[offset + 7] = handle;
}
