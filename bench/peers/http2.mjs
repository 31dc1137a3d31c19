/**
 * node:http2 without TLS: `http2.mjs send|receive - TOTAL SIZE STREAMS [PORT]`.
 * One request a stream. Windows of 16 MiB make it fastest.
 */
import { connect, createServer } from 'node:http2';
import { Counter, fail, pour, tellPort, tellResult } from './telling.mjs';

const [role, , total, size, streams, port] = process.argv.slice(2);
const WINDOW = 16 * 1024 * 1024;
const settings = { initialWindowSize: WINDOW, maxFrameSize: 262_144 };

if (role === 'send') {
  let cpu;
  const server = createServer({ settings });
  server.on('session', (session) => {
    session.setLocalWindowSize(WINDOW);
    session.on('close', () => {
      server.close();
      tellResult(cpu);
    });
  });
  server.on('stream', (stream) => {
    cpu ??= process.cpuUsage();
    stream.respond({ ':status': 200 });
    stream.on('error', fail);
    pour(stream, Number(total), Number(size));
  });
  server.listen(0, '127.0.0.1', () => tellPort(server.address().port));
} else {
  const counter = new Counter(Number(streams));
  const session = connect(`http://127.0.0.1:${port}`, { settings });
  let open = Number(streams);
  session.on('error', fail).on('connect', () => session.setLocalWindowSize(WINDOW * 4));
  for (let index = 0; index < Number(streams); index += 1) {
    const stream = session.request({ ':path': `/${index}` });
    stream.on('data', (chunk) => counter.add(chunk.length)).on('error', fail);
    stream.on('end', () => {
      counter.end();
      open -= 1;
      if (open === 0) session.close();
    });
    stream.end();
  }
}
