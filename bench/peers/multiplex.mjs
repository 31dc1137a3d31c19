/**
 * npm's multiplex: `multiplex.mjs send|receive - TOTAL SIZE STREAMS [PORT]`.
 * Like TCPM it has no windows; an unread stream holds up the others.
 */
import { connect, createServer } from 'node:net';
import multiplex from 'multiplex';
import { Counter, fail, pour, tellPort, tellResult } from './telling.mjs';

const [role, , total, size, streams, port] = process.argv.slice(2);
const names = Array.from({ length: Number(streams) }, (_, index) => String(index));
// The limit of a message, which must exceed the size of a write.
const options = { limit: 4 * 1024 * 1024 };

if (role === 'send') {
  const server = createServer((socket) => {
    const cpu = process.cpuUsage();
    const mux = multiplex(options);
    socket.setNoDelay(true).on('error', fail);
    socket.on('close', () => tellResult(cpu));
    server.close();
    socket.pipe(mux).pipe(socket);
    for (const name of names)
      pour(mux.createStream(name).on('error', fail), Number(total), Number(size));
  });
  server.listen(0, '127.0.0.1', () => tellPort(server.address().port));
} else {
  const counter = new Counter(names.length);
  let open = names.length;
  const socket = connect(Number(port), '127.0.0.1');
  const mux = multiplex(options, (stream) => {
    stream.on('data', (chunk) => counter.add(chunk.length)).on('error', fail);
    stream.on('end', () => {
      counter.end();
      open -= 1;
      if (open === 0) socket.destroy();
    });
  });
  socket.on('error', fail).pipe(mux).pipe(socket);
}
