// A peer without manners, plain sockets and bytes: `flooder.mjs KIND PORT AMOUNT`, which tells over
// IPC what it got done.
import { connect } from 'node:net';

const [kind, portText, amountText] = process.argv.slice(2);
const port = Number(portText);
const amount = Number(amountText);
const MIB = 1_048_576;
/** What is given to a socket at once. */
const PIECE = 65_536;
/**
 * Milliseconds after which a target that takes nothing is let be: where it is busy, and where it is
 * not meant to take any more.
 */
const BUSY = 60_000;
const BLOCKED = 1_500;
/**
 * Milliseconds from one byte of a slow header to the next: that is the attack, and no wait for
 * anything.
 */
const BETWEEN_BYTES = 200;

const floods = {
  /** Closes of so many handles that were never open. */
  'empty frames': () =>
    many(1, (from, count) => frames(from, count, (index) => index * 7_919 + 10, 0)),
  /** A first packet that asks for nothing, on so many handles. */
  handles: () => many(1, (from, count) => frames(from, count, (index) => index + 10, 1)),
  /** Frames of 4 MiB, each on a handle of its own, a thousand of them in turn. */
  'frames of 4 MiB': () => large((index) => frame(10 + (index % 1_000), 4 * MIB, 3)),
  /** Requests of 4 MiB that run, as far as they may, and stay. */
  'requests of 4 MiB': () =>
    large((index) => frame(10 + index, 4 * MIB, 0, `SERVICE waiting\nOPTIONS hostname=${index};`)),
  /** Requests for what never answers, each with other arguments. */
  requests: () =>
    many(8, (from, count) =>
      Buffer.concat(
        Array.from({ length: count }, (_, index) => requestFor('waiting', from + index + 10)),
      ),
    ),
  /** On an unread stream, frames of 4 MiB from 50 connections. */
  'a stream nobody reads': () => Promise.all(Array.from({ length: amount }, unread)),
  /** Requests that are refused, on so many connections that read nothing. */
  'answers nobody reads': () =>
    Promise.all(Array.from({ length: amount }, deaf)).then((sent) => ({
      sent: sent.reduce((sum, one) => sum + one, 0),
    })),
  /** A header at a byte every 200 ms, on so many connections. */
  'a slow header': () => slowHeaders(),
  /** So many connections that say nothing. */
  silence: () => silence(),
  /** Replies without end. */
  'endless replies': () => endless(),
};

floods[kind]().then(
  (result) => {
    process.send({ kind: 'done', ...result });
    // Keeps what it has open until it is told to go.
    process.on('message', () => process.exit());
  },
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
process.on('disconnect', () => process.exit());

/** A connection that notes its end, and reads what comes unless it is not to. */
function open(reads = true) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const peer = { socket, isOver: false, received: 0, text: '' };
    socket.setNoDelay(true);
    socket.on('connect', () => resolve(peer));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      peer.isOver = true;
      resolve(peer);
    });
    if (reads)
      socket.on('data', (chunk) => {
        peer.received += chunk.length;
        if (peer.text.length < PIECE) peer.text += chunk.toString('latin1');
      });
  });
}

/**
 * Writes, and waits until there is room again; says false when the connection is over, or takes
 * nothing.
 */
function put({ socket, ...peer }, bytes, patience = BUSY) {
  if (peer.isOver || socket.destroyed) return Promise.resolve(false);
  if (socket.write(bytes)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (value) => () => {
      clearTimeout(limit);
      socket.off('drain', drained).off('close', closed);
      resolve(value);
    };
    const [drained, closed] = [settle(true), settle(false)];
    const limit = setTimeout(settle(false), patience);
    socket.on('drain', drained).on('close', closed);
  });
}

/**
 * Frames by the thousand, on some connections; then a noop on each, to see that it is still served.
 */
async function many(connections, make) {
  const peers = await Promise.all(Array.from({ length: connections }, () => open()));
  const each = Math.ceil(amount / connections);
  let sent = 0;
  await Promise.all(
    peers.map(async (peer) => {
      for (let from = 0; from < each; from += 1_000) {
        const count = Math.min(1_000, each - from);
        if (!(await put(peer, make(from, count)))) return;
        sent += count;
      }
    }),
  );
  return {
    sent,
    alive: peers.filter(({ isOver }) => !isOver).length,
    served: await areServed(peers),
  };
}

async function large(make) {
  const peer = await open();
  let sent = 0;
  for (; sent < amount; sent += 1) {
    const bytes = make(sent);
    for (let at = 0; at < bytes.length; at += PIECE)
      if (!(await put(peer, bytes.subarray(at, at + PIECE)))) return { sent, alive: 0, served: 0 };
  }
  return { sent, alive: 1, served: await areServed([peer]) };
}

/** On how many of the connections a request gets an answer, be it a refusal. */
async function areServed(peers) {
  const answered = peers.map(async (peer) => {
    if (peer.isOver) return false;
    const before = peer.received;
    peer.text = '';
    peer.socket.write(requestFor('noop', 9));
    for (let tries = 0; tries < 3_000 && !peer.isOver; tries += 1) {
      if (peer.received > before && /OPTIONS features=|ERROR more than/.test(peer.text))
        return true;
      if (peer.text.length >= PIECE) peer.text = peer.text.slice(-200);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return false;
  });
  return (await Promise.all(answered)).filter(Boolean).length;
}

async function unread() {
  const peer = await open();
  peer.socket.write(requestFor('unread', 1));
  while (!/CONNECT A (\d+)/.test(peer.text)) await new Promise((resolve) => setTimeout(resolve, 5));
  const [, handle] = /CONNECT A (\d+)/.exec(peer.text);
  peer.socket.write(header(1, 2, '\x03\0'));
  const bytes = frame(Number(handle), 4 * MIB, 0x78);
  for (let sent = 0; sent < 8; sent += 1)
    for (let at = 0; at < bytes.length; at += PIECE)
      if (!(await put(peer, bytes.subarray(at, at + PIECE), BLOCKED))) return;
}

async function deaf() {
  const peer = await open(false);
  peer.socket.pause();
  const thousand = Buffer.concat(
    Array.from({ length: 1_000 }, (_, index) => requestFor('none', index + 10)),
  );
  for (let sent = 0; sent < 100_000; sent += 1_000)
    if (!(await put(peer, thousand, BLOCKED))) return sent;
  return 100_000;
}

async function slowHeaders() {
  const peers = await Promise.all(Array.from({ length: amount }, () => open()));
  const bytes = header(10, 4_000);
  let sent = 0;
  while (peers.some(({ isOver }) => !isOver)) {
    for (const peer of peers)
      if (!peer.isOver) peer.socket.write(bytes.subarray(sent % 8, (sent % 8) + 1));
    sent += 1;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_BYTES));
  }
  return { sent, alive: 0 };
}

async function silence() {
  const peers = [];
  for (let opened = 0; opened < amount; opened += 100)
    peers.push(
      ...(await Promise.all(Array.from({ length: Math.min(100, amount - opened) }, () => open()))),
    );
  return { sent: peers.length, alive: peers.filter(({ isOver }) => !isOver).length };
}

async function endless() {
  const peers = await Promise.all(Array.from({ length: Math.ceil(amount / 8) }, () => open()));
  const wanted = 'its reply is over the';
  await Promise.all(
    peers.map(async (peer) => {
      for (let handle = 1; handle <= Math.min(8, amount); handle += 1)
        peer.socket.write(requestFor('endless', handle));
      while (!peer.isOver && peer.text.split(wanted).length <= Math.min(8, amount))
        await new Promise((resolve) => setTimeout(resolve, 10));
    }),
  );
  return { sent: amount, alive: peers.filter(({ isOver }) => !isOver).length };
}

function header(handle, length, payload = '') {
  const bytes = Buffer.alloc(8 + payload.length);
  bytes.writeUInt32BE(length);
  bytes.writeUInt32BE(handle, 4);
  bytes.write(payload, 8, 'latin1');
  return bytes;
}

function frames(from, count, handle, length) {
  const bytes = Buffer.alloc(count * (8 + length), 3);
  for (let index = 0; index < count; index += 1) {
    bytes.writeUInt32BE(length, index * (8 + length));
    bytes.writeUInt32BE(handle(from + index) >>> 0, index * (8 + length) + 4);
  }
  return bytes;
}

/** A frame whose payload is a byte of a type, a text, and the same again and again. */
function frame(handle, length, type, text = '') {
  const bytes = Buffer.alloc(8 + length, 0x78);
  bytes.writeUInt32BE(length);
  bytes.writeUInt32BE(handle, 4);
  bytes[8] = type;
  bytes.write(text, 9, 'latin1');
  return bytes;
}

function requestFor(service, handle) {
  const body = `\0SECURITY USER backup\nSERVICE ${service}\nOPTIONS hostname=${handle};\n\0`;
  return header(handle, body.length, body);
}
