/** Bytes that wait for their reader: `backlog.mjs receive HELD TOTAL SIZE`. In one process, frames of SIZE bytes: HELD bytes come and wait, are read, and so on until TOTAL were. */
import { setImmediate } from 'node:timers/promises';
import {
  concatMap,
  defer,
  filter,
  lastValueFrom,
  mergeMap,
  of,
  range,
  reduce,
  take,
  takeWhile,
} from 'rxjs';
import { connect, memory, reply, request, serve } from '../../dist/index.js';
import { fail, tellResult } from './telling.mjs';

const [, held, total, size] = process.argv.slice(2).map(Number);
const chunk = new Uint8Array(size).fill(1);
/** What each chunk is charged besides its bytes. */
const CHARGE = 512;

async function* source() {
  for (;;) yield chunk;
}

const { driver, listener } = memory();
serve(
  listener,
  { sendbackup: () => of(reply({ streams: { DATA: () => source() } })) },
  { authorize: () => of({ kind: 'allowed' }) },
).subscribe({
  error: fail,
});

const once = () =>
  connect(driver, { receiveBudget: (held / size) * (size + CHARGE) }).pipe(
    request('sendbackup'),
    mergeMap(({ streams, connection }) =>
      connection.flow.pipe(
        filter(({ paused }) => paused),
        take(1),
        mergeMap(() => streams.DATA.pipe(reduceUntil(held))),
      ),
    ),
    // Behind this nobody wants the connection any more.
    take(1),
  );

/** Counts bytes until there are so many. */
function reduceUntil(enough) {
  return (chunks) => {
    let bytes = 0;
    return chunks.pipe(
      takeWhile((part) => (bytes += part.length) < enough, true),
      reduce(() => bytes, 0),
    );
  };
}

await lastValueFrom(once());
const cpu = process.cpuUsage();
const started = performance.now();
const bytes = await lastValueFrom(
  range(0, Math.max(1, Math.round(total / held))).pipe(
    // The event loop comes round between two, as it does where bytes come from a socket: what has ended is let go of there.
    concatMap(() => defer(() => setImmediate()).pipe(mergeMap(once))),
    reduce((sum, more) => sum + more, 0),
  ),
);
tellResult(cpu, { bytes, seconds: (performance.now() - started) / 1_000 });
process.on('disconnect', () => process.exit(0));
