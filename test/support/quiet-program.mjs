// One end of silent streams, for the test of a network that goes away.
//
//   node quiet-program.mjs target [SSL-DIR]        prints "listening" for each driver
//   node quiet-program.mjs initiator ADDRESS [SSL-DIR]
//
// Service `early` sends "x" and ends at SIGUSR1, service `never` says nothing. Each end prints
// "open", and later "done" or the code of its error: DRIVER SERVICE WORD.
import { Observable, concat, from, mergeMap, of, tap } from 'rxjs';
import {
  bsd,
  bsdtcp,
  bsdudp,
  connect,
  listenBsd,
  listenBsdtcp,
  listenBsdudp,
  listenSsl,
  reply,
  request,
  serve,
  ssl,
} from '../../dist/index.js';

const [role, ...more] = process.argv.slice(2);
const sslDir = more.at(-1);
const ports = { bsdtcp: 10080, bsdudp: 10082, bsd: 10083, ssl: 10081 };
const certificates = { sslDir, sslCheckHost: false, sslCheckCertificateHost: false };
const say = (...words) => console.log(words.join(' '));

if (role === 'target') {
  const listening = { bsdtcp: listenBsdtcp, bsdudp: listenBsdudp, bsd: listenBsd, ssl: listenSsl };
  const signal = new Observable((out) => void process.once('SIGUSR1', () => out.next()));
  process.setMaxListeners(20);
  for (const [name, listen] of Object.entries(listening)) {
    const early = signal.pipe(mergeMap(() => of(Buffer.from('x'))));
    const services = {
      early: () => of(reply({ streams: { DATA: () => takeOne(early) } })),
      never: () => of(reply({ streams: { DATA: () => new Observable() } })),
    };
    const listener = listen({
      port: ports[name],
      onListening: () => say(name, 'all', 'listening'),
      ...(name === 'ssl' ? certificates : {}),
    });
    serve(listener, services, { authorize: () => of({ kind: 'allowed' }) }).subscribe((event) => {
      if (event.kind === 'admitted') say(name, event.request.service, 'open');
      if (event.kind === 'ended')
        say(name, event.service, event.outcome === 'completed' ? 'done' : event.error?.code);
    });
  }
} else {
  const [host] = more;
  const drivers = { bsdtcp, bsdudp, bsd, ssl };
  for (const [name, driver] of Object.entries(drivers)) {
    for (const service of ['early', 'never']) {
      const own = driver({ host, port: ports[name], ...(name === 'ssl' ? certificates : {}) });
      connect(own)
        .pipe(
          request(service),
          tap(() => say(name, service, 'open')),
          mergeMap(({ streams }) => from(streams.DATA)),
        )
        .subscribe({
          error: (error) => say(name, service, error.code),
          complete: () => say(name, service, 'done'),
        });
    }
  }
}

function takeOne(source) {
  return concat(
    new Observable((out) => source.subscribe((one) => (out.next(one), out.complete()))),
  );
}
