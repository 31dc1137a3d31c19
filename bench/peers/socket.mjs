/**
 * A bare socket: `socket.mjs send|receive data|onread TOTAL SIZE STREAMS [PORT]`.
 * It has no streams, so the bytes of all go through it.
 */
import { connect, createServer } from 'node:net';
import { Counter, fail, pour, tellPort, tellResult } from './telling.mjs';

const [role, how, total, size, streams, port] = process.argv.slice(2);

if (role === 'send') {
  const server = createServer((socket) => {
    const cpu = process.cpuUsage();
    socket.setNoDelay(true).on('error', fail).resume();
    socket.on('close', () => tellResult(cpu));
    server.close();
    pour(socket, Number(total) * Number(streams), Number(size));
  });
  server.listen(0, '127.0.0.1', () => tellPort(server.address().port));
} else {
  const counter = new Counter();
  const onread = { buffer: Buffer.allocUnsafeSlow(262_144), callback: counter.add };
  const socket = connect({
    host: '127.0.0.1',
    port: Number(port),
    ...(how === 'onread' ? { onread } : {}),
  });
  if (how === 'data') socket.on('data', (chunk) => counter.add(chunk.length));
  socket.on('end', counter.end).on('error', fail);
}
