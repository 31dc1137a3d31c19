/**
 * Many connections between two processes: `connections.mjs send|receive COUNT TOTAL SIZE - [PORT]`.
 * Each moves TOTAL / COUNT bytes on one stream.
 */
import { Observable, mergeMap, of, range } from 'rxjs';
import { bsdtcp, connect, listenBsdtcp, reply, request, serve } from '../../dist/index.js';
import { Counter, fail, tellPort, tellResult } from './telling.mjs';

const [role, count, total, size, , port] = process.argv.slice(2);
const each = Math.floor(Number(total) / Number(count) / Number(size)) * Number(size);

if (role === 'send') {
  const chunk = new Uint8Array(Number(size)).fill(1);
  let cpu;
  let open = Number(count);
  const source = (stream) =>
    new Observable((out) => {
      cpu ??= process.cpuUsage();
      let left = each / chunk.length;
      return stream.ready.subscribe((ready) => {
        if (!ready) return;
        while (left > 0 && stream.isReady) {
          left -= 1;
          stream.next(chunk);
        }
        if (left === 0) out.complete();
      });
    });
  const services = { sendbackup: () => of(reply({ streams: { DATA: source } })) };
  const listener = listenBsdtcp({
    host: '127.0.0.1',
    port: 0,
    onListening: tellPort,
    maxConnections: 20_000,
  });
  const serving = serve(listener, services, { authorize: () => of({ kind: 'allowed' }) }).subscribe(
    {
      next: ({ kind }) => {
        if (kind !== 'disconnected') return;
        open -= 1;
        if (open > 0) return;
        serving.unsubscribe();
        tellResult(cpu);
      },
      error: fail,
    },
  );
} else {
  const counter = new Counter(Number(count));
  const driver = bsdtcp({ host: '127.0.0.1', port: Number(port), reservedPorts: false });
  range(0, Number(count))
    .pipe(
      mergeMap(() =>
        connect(driver).pipe(
          request('sendbackup'),
          mergeMap(({ streams }) => {
            streams.DATA.subscribe({
              next: (chunk) => counter.add(chunk.length),
              error: fail,
              complete: counter.end,
            });
            return of(undefined);
          }),
        ),
      ),
    )
    .subscribe({ error: fail });
}
