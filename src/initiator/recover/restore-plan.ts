import { AmandaError } from '../../wire/errors.js';
import type { IndexedDump } from './index-entries.js';

/**
 * The dumps that bring a disk back as it was at a date, in the order in which to restore them. The
 * full dump is the first; each other one builds on those before it.
 *
 *     dumps  Mon 0   Tue 1   Wed 2   Thu 1   Fri 2
 *     plan   Mon 0                   Thu 1   Fri 2
 *
 * `date` is `YYYYMMDD` or `YYYYMMDDhhmmss`; default the newest dump. Throws `SERVICE_FAILED` when
 * no dump is that old, and when the full dump is missing.
 *
 * @example
 * ```ts
 * import { bsdtcp, connect, index, restorePlan } from 'rx-amanda';
 * import { map, toArray } from 'rxjs';
 *
 * const disk = { host: 'db1.example.com', disk: '/etc' };
 *
 * connect(bsdtcp({ host: 'server.example.com' }))
 *   .pipe(
 *     index({ config: 'daily' }, (session) => session.dumps(disk)),
 *     toArray(),
 *     map((dumps) => restorePlan(dumps, '20261201')),
 *   )
 *   .subscribe(console.log);
 * ```
 */
export function restorePlan(dumps: readonly IndexedDump[], date = '99999999'): IndexedDump[] {
  const newestFirst = [...dumps]
    .filter(({ datestamp }) => datestamp.slice(0, date.length) <= date)
    .sort((a, b) => compare(b.datestamp, a.datestamp) || b.level - a.level);
  const plan: IndexedDump[] = [];
  for (const dump of newestFirst) {
    const [above] = plan;
    if (above !== undefined && dump.level >= above.level) continue;
    plan.unshift(dump);
    if (dump.level === 0) return plan;
  }
  throw new AmandaError(
    'SERVICE_FAILED',
    plan.length === 0
      ? `There is no dump from ${date} or earlier.`
      : `The full dump that the one of ${plan[0]?.datestamp ?? ''} builds on is gone.`,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
