/** Bytes of a frame header: payload length and handle, both 32 bits in network byte order. Source: PROTOCOL.md, "Frames". */
export const HEADER_BYTES = 8;

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
