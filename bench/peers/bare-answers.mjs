/** The bytes of a noop's answer, for targets without the protocol: the least that Node costs. */
import { encodeFrame, encodePacket, packet } from '../../dist/wire/index.js';

const frame = (type, text) =>
  encodeFrame({ handle: 1, payload: encodePacket(packet(type, Buffer.from(text))) });

/** ACK and REP, in one write like ours. */
export const answer = Buffer.concat([
  frame('ACK', ''),
  frame('REP', 'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n'),
]);
/** The close of the handle, after the initiator's ACK. */
export const close = Buffer.from(encodeFrame({ handle: 1, payload: new Uint8Array(0) }));
