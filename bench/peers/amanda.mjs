/**
 * rx-amanda: `amanda.mjs send|receive VARIANT TOTAL SIZE STREAMS [PORT]`.
 * The target sends on each of its streams, and the initiator receives them.
 * VARIANT is `plain`, `operators` (three RxJS operators), `leased` (the reader returns each chunk's
 * memory) or `recorded` (leased, and `record()` watches the initiator). With a certificate folder
 * it uses ssl.
 */
import { EMPTY, Observable, filter, map, mergeMap, of, scan } from 'rxjs';
import {
  bsdtcp,
  connect,
  listenBsdtcp,
  listenSsl,
  reply,
  request,
  serve,
  ssl,
} from '../../dist/index.js';
import { CIPHER, SSL_DIR } from './secure.mjs';
import { Counter, fail, tellPort, tellResult } from './telling.mjs';

/** The reader returns a chunk's memory when it has handled the chunk. */
const LEASE = { lease: true };

const [role, variant, total, size, streams, port] = process.argv.slice(2);
const names = Array.from({ length: Number(streams) }, (_, index) =>
  index === 0 ? 'DATA' : `DATA${index}`,
);

/** Loaded only where it is measured: a bare peer has no diagrams in memory either. */
const watching =
  variant === 'recorded'
    ? [(await import('../../dist/diagram/index.js')).record(() => undefined)]
    : [];

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
    variant === 'leased' || variant === 'recorded'
      ? stream.paced(count, LEASE)
      : stream.pipe(...operators);
  connect(driver())
    .pipe(
      ...watching,
      request('sendbackup'),
      mergeMap((reply) => names.map((name) => read(reply.streams[name]))),
      // Each stream has its own subscriber, like a program that handles each differently.
      map((stream) => stream.subscribe({ error: fail, complete: counter.end })),
    )
    .subscribe({ error: fail });
}

function driver() {
  return SSL_DIR === undefined
    ? bsdtcp({ host: '127.0.0.1', port: Number(port), reservedPorts: false })
    : ssl({ host: 'localhost', port: Number(port), sslDir: SSL_DIR, sslCipherList: CIPHER });
}

function listener() {
  const where = { host: '127.0.0.1', port: 0, onListening: tellPort };
  return SSL_DIR === undefined
    ? listenBsdtcp(where)
    : listenSsl({ ...where, sslDir: SSL_DIR, sslCipherList: CIPHER });
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
  const serving = serve(listener(), services, {
    authorize: () => of({ kind: 'allowed' }),
  }).subscribe({
    next: (event) => {
      if (event.kind !== 'disconnected') return;
      serving.unsubscribe();
      tellResult(cpu);
    },
    error: fail,
  });
}
