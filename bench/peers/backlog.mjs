/**
 * Unread bytes in one process: `backlog.mjs receive HELD TOTAL SIZE`.
 * Frames of SIZE bytes arrive until HELD bytes are unread. Then all are read, and so on to TOTAL.
 */
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
/** The charge for a chunk besides its bytes. */
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
    // The connection is unused after this.
    take(1),
  );

/** Counts bytes up to a number. */
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
    // The event loop turns between two, as with a socket, and ended streams are released there.
    concatMap(() => defer(() => setImmediate()).pipe(mergeMap(once))),
    reduce((sum, more) => sum + more, 0),
  ),
);
tellResult(cpu, { bytes, seconds: (performance.now() - started) / 1_000 });
process.on('disconnect', () => process.exit(0));
