/**
 * A bare `node:tls` pair: `tls.mjs send|receive - TOTAL SIZE STREAMS [PORT]`.
 * It has no streams, so the bytes of all go through one session.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { CIPHER, SSL_DIR } from './secure.mjs';
import { Counter, fail, pour, tellPort, tellResult } from './telling.mjs';

const [role, , total, size, streams, port] = process.argv.slice(2);
const file = (name) => readFileSync(join(SSL_DIR, name));
const session = {
  ca: file('CA/crt.pem'),
  cert: file('me/crt.pem'),
  key: file('me/private/key.pem'),
  ciphers: CIPHER,
  rejectUnauthorized: true,
};

if (role === 'send') {
  const server = createServer({ ...session, requestCert: true }, (socket) => {
    const cpu = process.cpuUsage();
    socket.setNoDelay(true).on('error', fail).resume();
    socket.on('close', () => tellResult(cpu));
    server.close();
    pour(socket, Number(total) * Number(streams), Number(size));
  });
  server.on('tlsClientError', fail);
  server.listen(0, '127.0.0.1', () => tellPort(server.address().port));
} else {
  const counter = new Counter();
  const socket = connect({ host: 'localhost', port: Number(port), ...session });
  socket.on('data', (chunk) => counter.add(chunk.length));
  socket.on('end', counter.end).on('error', fail);
}
