/**
 * A slow consumer: `slow.mjs send|receive RATE TOTAL - - [PORT]`.
 * The target sends TOTAL bytes on DATA and a 64th of it on MESG, as fast as they are taken.
 * The initiator reads DATA at RATE bytes a second (0: at once), MESG at once, and checks DATA.
 */
import { EMPTY, finalize, mergeMap, of, timer } from 'rxjs';
import { bsdtcp, connect, listenBsdtcp, reply, request, serve } from '../../dist/index.js';
import { fail, tellPort, tellResult } from './telling.mjs';

const [role, rateText, totalText, , , port] = process.argv.slice(2);
const rate = Number(rateText);
const total = Number(totalText);
const PIECE = 65_536;
/** Long enough for a piece that starts at any phase. */
const pattern = Uint8Array.from({ length: PIECE + 251 }, (_, at) => at % 251);

if (role === 'send') send();
else receive();

function receive() {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const since = () => (performance.now() - started) / 1_000;
  let data = 0;
  let pauses = 0;
  let quickEnd;
  let most = 0;
  const check = (chunk) => {
    for (let at = 0; at < chunk.length; at += PIECE) {
      const part = chunk.subarray(at, at + PIECE);
      const phase = (data + at) % 251;
      if (Buffer.compare(part, pattern.subarray(phase, phase + part.length)) !== 0)
        fail(new Error(`wrong bytes near ${data + at}`));
    }
    data += chunk.length;
  };
  const pace = (chunk) => {
    check(chunk);
    const ahead = rate === 0 ? 0 : data / rate - since();
    return ahead > 0.002 ? timer(ahead * 1_000).pipe(mergeMap(() => EMPTY)) : EMPTY;
  };
  connect(bsdtcp({ host: '127.0.0.1', port: Number(port), reservedPorts: false }))
    .pipe(request('sendbackup'))
    .subscribe(({ streams, connection }) => {
      let paused = false;
      const flow = connection.flow.subscribe((now) => {
        most = Math.max(most, now.held);
        if (now.paused && !paused) pauses += 1;
        paused = now.paused;
      });
      streams.MESG.subscribe({ error: fail, complete: () => (quickEnd = since()) });
      streams.DATA.paced(pace)
        .pipe(finalize(() => flow.unsubscribe()))
        .subscribe({
          error: fail,
          complete: () =>
            tellResult(cpu, { bytes: data, seconds: since(), pauses, quickEnd, held: most }),
        });
    });
}

function send() {
  async function* pieces(bytes) {
    for (let at = 0; at < bytes; at += PIECE)
      yield pattern.subarray(at % 251, (at % 251) + Math.min(PIECE, bytes - at));
  }
  let cpu;
  const data = () => {
    cpu = process.cpuUsage();
    return pieces(total);
  };
  const services = {
    sendbackup: () => of(reply({ streams: { DATA: data, MESG: () => pieces(total / 64) } })),
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
