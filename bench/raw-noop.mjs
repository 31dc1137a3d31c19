/** A noop asked by hand over a socket, so that what is measured is the target and not our initiator. */
import { connect } from 'node:net';
import { encodeFrame, encodePacket, packet } from '../dist/index.js';

const HANDLE = 1;
const request = frame('REQ', 'SECURITY USER root\nSERVICE noop\nOPTIONS features=ff;\n');
const confirmation = frame('ACK', '');

function frame(type, text) {
  return Buffer.from(encodeFrame({ handle: HANDLE, payload: encodePacket(packet(type, Buffer.from(text))) }));
}

/** What comes first in a frame's payload for each packet type; the type byte is a bit mask. Source: PROTOCOL.md, "Packets". */
const ACK = encodePacket(packet('ACK', Buffer.alloc(0)))[0];
const REP = encodePacket(packet('REP', Buffer.alloc(0)))[0];

/**
 * Asks over a socket that is or will be connected. Resolves, when the target has closed, to the milliseconds from `started` to the ACK (`ack`), to the REP (`rep`),
 * and to the end.
 */
export function noopOver(socket, started = performance.now()) {
  return new Promise((resolve, reject) => {
    let held = Buffer.alloc(0);
    let ack;
    let rep;
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      while (held.length >= 8 && held.length >= 8 + held.readUInt32BE(0)) {
        const payload = held.subarray(8, 8 + held.readUInt32BE(0));
        held = held.subarray(8 + payload.length);
        if (payload[0] === ACK) ack ??= performance.now() - started;
        else if (payload[0] === REP) {
          rep ??= performance.now() - started;
          socket.end(confirmation);
        } else if (payload.length > 0) reject(new Error(`not a reply: ${payload.toString('latin1')}`));
      }
    });
    socket.on('close', () => {
      if (rep === undefined) reject(new Error('no reply before the end'));
      else resolve({ ack, rep, end: performance.now() - started });
    });
    socket.write(request);
  });
}

export function noop(port, host = '127.0.0.1') {
  const started = performance.now();
  return noopOver(connect({ host, port, noDelay: true }), started);
}
