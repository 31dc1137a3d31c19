/**
 * A target for noops: `noop-target.mjs own|checked|executable|bare|answering`.
 * `own` is our noop without access checks. `checked` adds amandad's default checks: the peer's name
 * and .amandahosts, which it reads anew. `executable` starts the real noop for each request.
 * `bare` accepts and does nothing. `answering` answers everything with fixed bytes.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { of } from 'rxjs';
import { amandaServices, authorize, listenBsdtcp, noopService, serve } from '../../dist/index.js';
import { answer, close } from './bare-answers.mjs';
import { fail, tellPort } from './telling.mjs';

const [kind] = process.argv.slice(2);
const allowed = () => of({ kind: 'allowed' });
const answering = (socket) => {
  socket.setNoDelay(true);
  socket.once('data', () => {
    socket.write(answer);
    socket.once('data', () => socket.end(close));
  });
};

/** The target's default checks without the reserved port: a bench needs more ports than those. */
function checked() {
  const file = join(mkdtempSync(join(tmpdir(), 'rx-amanda-noop-')), '.amandahosts');
  writeFileSync(file, 'localhost root noop\n', { mode: 0o600 });
  process.once('exit', () => rmSync(dirname(file), { recursive: true, force: true }));
  return (request) => authorize({ reservedPort: false, file })(request);
}

if (kind === 'bare' || kind === 'answering') {
  const take = kind === 'bare' ? (socket) => socket.resume() : answering;
  const server = createServer((socket) => take(socket.on('error', () => undefined)));
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () =>
    tellPort(server.address().port),
  );
} else {
  const services =
    kind === 'executable'
      ? { noop: amandaServices({ names: ['noop'] }).noop }
      : { noop: noopService() };
  const policy = kind === 'checked' ? checked() : allowed;
  const listener = listenBsdtcp({
    host: '127.0.0.1',
    port: 0,
    onListening: tellPort,
    maxConnections: 20_000,
  });
  serve(listener, services, { authorize: policy, idleTimeout: 600_000 }).subscribe({ error: fail });
}
// Processor time since the last question, and the memory now, after a collection.
process.on('message', () => {
  globalThis.gc?.();
  process.send({ kind: 'memory', rss: process.memoryUsage.rss() });
});
process.on('disconnect', () => process.exit(0));
