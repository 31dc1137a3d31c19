/**
 * `rx-amanda/wire`: the protocol as bytes and texts. Without RxJS and Node: runs in a browser.
 *
 *     new FrameDecoder().push(chunk);          // frames
 *     decodePacket(frame.payload);             // REQ, REP, …
 *     parseRequest(packet.body);               // what is asked
 */

// The bytes: frames, packets, datagrams.
export type { Role } from './role.js';
export { HEADER_BYTES } from './frame-header.js';
export { FrameDecoder, MAX_PAYLOAD, encodeFrame } from './frame.js';
export type { DecodeOptions, Frame, FrameSink } from './frame.js';
export { decodePacket, encodePacket, packet, packetText, packetTypes } from './packet.js';
export type { Packet, PacketType } from './packet.js';
export * from './datagram.js';

// The texts: requests, replies, features, DLEs.
export * from './request.js';
export * from './reply.js';
export * from './options.js';
export * from './features.js';
export { formatDle } from './dle/dle-format.js';
export { parseDles } from './dle/dle-parse.js';
export type {
  Dle,
  DleCompression,
  DleDatapath,
  DleEncryption,
  DleLevel,
  DleProgram,
} from './dle/dle.js';
export type { DlePlugin, DleProperty, DleScript, DleSelection } from './dle/dle.js';
export type { EstimateMethod } from './dle/dle.js';
export type { Element as DleElement } from './dle/markup.js';
export * from './quote.js';
export { printable } from './text.js';

// The dump file.
export * from './dumpfile.js';
export * from './crc32c.js';

// What all of them throw.
export * from './errors.js';
export { explain, type ExplanationKind, type PeerExplanation } from './explanations.js';
