// Asks many hosts, eight at a time, whether their Amanda clients run and accept this host, and
// prints a table of the answers.
//
//   node examples/watch-fleet.mjs HOST[:PORT]…
//
// Run it as root, because clients accept requests only from a port below 1024.
import {
  catchError,
  from,
  map,
  mergeMap,
  of,
  retry,
  take,
  throwError,
  timeout,
  timer,
  toArray,
} from 'rxjs';
import { bsdtcp, connect, isAmandaError, noop } from 'rx-amanda';

const rows = from(process.argv.slice(2)).pipe(
  mergeMap((target) => {
    const [host, port = '10080'] = target.split(':');
    const started = performance.now();
    return connect(bsdtcp({ host, port: Number(port), user: 'backup' }), { connectTries: 1 }).pipe(
      noop(),
      take(1),
      timeout(20_000),
      // Who says no says it again; what does not answer may be starting up.
      retry({
        count: 2,
        delay: (error, tries) =>
          isAmandaError(error, 'REFUSED') ? throwError(() => error) : timer(500 * 2 ** tries),
      }),
      map(({ features }) => ({
        target,
        answer: `${features.names().length} features`,
        ms: Math.round(performance.now() - started),
      })),
      catchError((error) => of({ target, answer: error.code ?? error.message })),
    );
  }, 8),
  toArray(),
);

rows.subscribe((table) => {
  console.table(table);
  process.exitCode = table.every(({ ms }) => ms !== undefined) ? 0 : 1;
});
