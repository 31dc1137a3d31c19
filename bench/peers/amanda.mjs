/**
 * rx-amanda: `amanda.mjs send|receive VARIANT TOTAL SIZE STREAMS [PORT]`. The target sends on each of its streams, and the initiator takes them.
 * VARIANT: `plain`; `operators`, through three RxJS operators; `lent`, by paced() with `lease`; `recorded`, with record() on the initiator's connection.
 */
import { EMPTY, Observable, filter, map, mergeMap, of, scan } from 'rxjs';
import { record } from '../../dist/diagram/index.js';
import { bsdtcp, connect, listenBsdtcp, reply, request, serve } from '../../dist/index.js';
import { Counter, fail, tellPort, tellResult } from './telling.mjs';

const [role, variant, total, size, streams, port] = process.argv.slice(2);
const names = Array.from({ length: Number(streams) }, (_, index) =>
  index === 0 ? 'DATA' : `DATA${index}`,
);

if (role === 'send') send();
else receive();

function receive() {
  const counter = new Counter(names.length);
  const operators =
    variant === 'operators'
      ? [
          map((chunk) => chunk.length),
          scan((_, length) => length, 0),
          filter((length) => counter.add(length)),
        ]
      : [map((chunk) => counter.add(chunk.length))];
  const count = (chunk) => {
    counter.add(chunk.length);
    return EMPTY;
  };
  const read = (stream) =>
    variant === 'lent' ? stream.paced(count, { lease: true }) : stream.pipe(...operators);
  connect(bsdtcp({ host: '127.0.0.1', port: Number(port), reservedPorts: false }))
    .pipe(
      ...(variant === 'recorded' ? [record(() => undefined)] : []),
      request('sendbackup'),
      mergeMap((reply) => names.map((name) => read(reply.streams[name]))),
      // Not merged: each stream has a subscriber of its own, as a program has that does a different thing with each.
      map((stream) => stream.subscribe({ error: fail, complete: counter.end })),
    )
    .subscribe({ error: fail });
}

function send() {
  const chunk = new Uint8Array(Number(size)).fill(1);
  let cpu;
  const source = (stream) =>
    new Observable((out) => {
      cpu ??= process.cpuUsage();
      let left = Number(total) / chunk.length;
      return stream.ready.subscribe((ready) => {
        if (!ready) return;
        while (left > 0 && stream.isReady) {
          left -= 1;
          stream.next(chunk);
        }
        if (left === 0) out.complete();
      });
    });
  const services = {
    sendbackup: () =>
      of(reply({ streams: Object.fromEntries(names.map((name) => [name, source])) })),
  };
  const serving = serve(
    listenBsdtcp({ host: '127.0.0.1', port: 0, onListening: tellPort }),
    services,
    { authorize: () => of({ kind: 'allowed' }) },
  ).subscribe({
    next: (event) => {
      if (event.kind !== 'disconnected') return;
      serving.unsubscribe();
      tellResult(cpu);
    },
    error: fail,
  });
}
