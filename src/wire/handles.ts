/** The first stream of a target; each next one is one lower. Source: PROTOCOL.md, "Frames". */
export const FIRST_STREAM_HANDLE = 499_999;

const PROTOCOL_HANDLE_END = 10_000;

/** Whether a handle carries packets, not the bytes of a stream. Source: PROTOCOL.md, "Frames". */
export function isProtocolHandle(handle: number): boolean {
  return handle < PROTOCOL_HANDLE_END;
}
