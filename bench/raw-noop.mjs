/**
 * A noop request written by hand, so that a bench measures the target and not our initiator.
 * It shares two processors with the target, so it costs as little as Node allows. Frames are made
 * once, all sockets share one read buffer, and a phase has one listener.
 */
import { connect } from 'node:net';
import { encodeFrame, encodePacket, packet } from '../dist/wire/index.js';

const HANDLE = 1;
const HEADER = 8;
const request = frame('REQ', 'SECURITY USER root\nSERVICE noop\nOPTIONS features=ff;\n');
const confirmation = frame('ACK', '');

function frame(type, text) {
  return Buffer.from(
    encodeFrame({ handle: HANDLE, payload: encodePacket(packet(type, Buffer.from(text))) }),
  );
}

/**
 * The first byte of a frame's payload for each packet type; the byte is a bit mask.
 * Source: PROTOCOL.md, "Packets".
 */
const ACK = encodePacket(packet('ACK', Buffer.alloc(0)))[0];
const REP = encodePacket(packet('REP', Buffer.alloc(0)))[0];

/** The buffer that every socket reads into. It is handled before the next read. */
const room = Buffer.alloc(65_536);

/** Reads the answers on one connection and acknowledges the reply. */
class Exchange {
  ack;
  rep;
  failure;
  #held = Buffer.alloc(0);
  #started;
  #socket;

  constructor(started) {
    this.#started = started;
  }

  /** Sends the request over a socket, connected or not. Resolves when the target closes. */
  over(socket) {
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.on('error', (error) => (this.failure ??= error));
      socket.on('close', () => {
        if (this.rep === undefined) this.failure ??= new Error('no reply before the end');
        if (this.failure !== undefined) reject(this.failure);
        else resolve({ ack: this.ack, rep: this.rep, end: performance.now() - this.#started });
      });
      socket.write(request);
    });
  }

  take(chunk) {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = 0;
    while (bytes.length - at >= HEADER) {
      const end = at + HEADER + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      if (end > at + HEADER) this.#answered(bytes[at + HEADER], bytes.subarray(at + HEADER, end));
      at = end;
    }
    // A copy, because the next read overwrites the memory.
    if (at < bytes.length) this.#held = Buffer.from(bytes.subarray(at));
    else if (this.#held.length > 0) this.#held = Buffer.alloc(0);
  }

  #answered(type, payload) {
    if (type === ACK) this.ack ??= performance.now() - this.#started;
    else if (type === REP && payload.includes('OPTIONS ')) {
      this.rep ??= performance.now() - this.#started;
      this.#socket.end(confirmation);
    } else {
      this.failure = new Error(`not a reply: ${payload.toString('latin1')}`);
      this.#socket.destroy();
    }
  }
}

/**
 * Sends the request over a socket that reads by `data` events. Resolves when the target closes, to
 * the milliseconds from `started` to the ACK (`ack`), to the REP (`rep`) and to the end (`end`).
 */
export function noopOver(socket, started = performance.now()) {
  const exchange = new Exchange(started);
  socket.on('data', (chunk) => exchange.take(chunk));
  return exchange.over(socket);
}

export function noop(port, host = '127.0.0.1') {
  const exchange = new Exchange(performance.now());
  const callback = (length) => {
    exchange.take(room.subarray(0, length));
    return true;
  };
  return exchange.over(connect({ host, port, onread: { buffer: room, callback } }));
}
