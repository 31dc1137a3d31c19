/**
 * The programs around a tap. `tap.mjs send TOTAL SIZE` is a target that sends frames of a stream.
 * `tap.mjs receive PORT` is an initiator that counts them. `tap.mjs relay PORT [FILE]` is a plain
 * Node relay to compare with, which copies what the target sends to a file.
 */
import { createWriteStream } from 'node:fs';
import { connect, createServer } from 'node:net';
import { Counter, fail, tellPort } from './telling.mjs';

const [role, ...words] = process.argv.slice(2);
const [total, size] = words.map(Number);

if (role === 'send') listen((socket) => socket.once('data', () => pour(socket)));
else if (role === 'relay') listen(relay);
else dial();

function listen(take) {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, take);
  server.listen(0, '127.0.0.1', () => tellPort(server.address().port));
}

function relay(socket) {
  const target = connect({ host: '127.0.0.1', port: Number(words[0]), allowHalfOpen: true });
  socket.pipe(target).pipe(socket);
  if (words.length > 1) target.pipe(createWriteStream(words[1]));
}

/** Retries, because a quiet tap does not say when it listens. */
function dial() {
  const counter = new Counter();
  const onread = { buffer: Buffer.allocUnsafeSlow(262_144), callback: counter.add };
  const socket = connect({ host: '127.0.0.1', port: Number(words[0]), onread, noDelay: true });
  socket
    .on('end', counter.end)
    .on('error', ({ code }) => (code === 'ECONNREFUSED' ? setTimeout(dial, 20) : fail(code)));
  socket.once('connect', () => {
    process.once('message', () => socket.write(packet(0, 'SERVICE sendbackup\nOPTIONS ;\n')));
    process.send({ kind: 'connected' });
  });
}

function pour(socket) {
  socket.write(Buffer.concat([packet(3, ''), packet(1, 'CONNECT DATA 10000\n\n')]));
  const bytes = frame(10_000, Buffer.alloc(size, 'what is backed up '));
  let left = total / size;
  const write = () => {
    while (left > 0) {
      left -= 1;
      if (!socket.write(bytes)) return;
    }
    socket.end(frame(10_000, Buffer.alloc(0)));
  };
  socket.on('drain', write);
  write();
}

function packet(type, text) {
  return frame(1, Buffer.concat([Buffer.of(type), Buffer.from(`${text}\0`)]));
}

function frame(handle, payload) {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(payload.length, 0);
  header.writeUInt32BE(handle, 4);
  return Buffer.concat([header, payload]);
}
