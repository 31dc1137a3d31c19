/**
 * One initiator of a fleet: `fleet-initiator.mjs COUNT BYTES ATONCE PORT`.
 * Asks each target for a noop and a dump, ATONCE targets at a time.
 */
import { catchError, concat, ignoreElements, filter, map, mergeMap, of, range, tap } from 'rxjs';
import { bsdtcp, connect, noop, receiveDump, sendbackup } from '../../dist/index.js';
import { addressOf } from '../fleet-addresses.mjs';
import { tellResult } from './telling.mjs';

const [count, bytes, atOnce, port] = process.argv.slice(2).map(Number);
const dle = { program: 'GNUTAR', disk: '/fleet', levels: [{ level: 0 }] };
const started = performance.now();
const cpu = process.cpuUsage();
let done = 0;
const failures = [];

const ask = (host) => {
  const driver = bsdtcp({ host, port, reservedPorts: false });
  return concat(
    connect(driver).pipe(noop(), ignoreElements()),
    connect(driver).pipe(
      sendbackup({ dle }),
      receiveDump(() => ({ data: () => [] })),
      filter(({ kind }) => kind === 'done'),
      tap(({ outcome }) => {
        if (outcome.bytes !== bytes) throw new Error(`${host} sent ${outcome.bytes} bytes`);
      }),
      map(() => undefined),
    ),
  );
};

range(0, count)
  .pipe(
    mergeMap(
      (index) =>
        ask(addressOf(index)).pipe(
          tap(() => (done += 1)),
          catchError((error) => of(failures.push(error.message))),
        ),
      atOnce,
    ),
  )
  .subscribe({
    complete: () =>
      tellResult(cpu, {
        seconds: (performance.now() - started) / 1_000,
        done,
        failures: failures.slice(0, 3),
        failed: failures.length,
      }),
  });
