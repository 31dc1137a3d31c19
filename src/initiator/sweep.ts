import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  from,
  map,
  mergeMap,
  of,
  type Observable,
  type ObservableInput,
} from 'rxjs';
import { checkArgument } from '../wire/arguments.js';
import { inRange } from '../wire/ranges.js';

export interface SweepOptions {
  /** The most hosts at once. Default 64. */
  readonly atOnce?: number;
}

/** What a sweep tells of one host. */
export type SweepEvent<Host, T> =
  /** The work of this host emitted a value. */
  | { readonly kind: 'value'; readonly host: Host; readonly value: T }
  /** Its work is complete. */
  | { readonly kind: 'done'; readonly host: Host; readonly milliseconds: number }
  /** Its work errored. The values before that count. */
  | {
      readonly kind: 'failed';
      readonly host: Host;
      readonly error: unknown;
      readonly milliseconds: number;
    };

/**
 * Does the same work for each host of a fleet, many at once. A host that fails is a value.
 *
 *     hosts   (ABC|)
 *     work A  ---a-|
 *     work B  -#
 *     work C  ------c|
 *     out     -B-a-A-cC|       a, c: values  A, C: done  B: failed
 *
 *     sweep(hosts, (host) => connect(bsdtcp({ host })).pipe(noop())).subscribe(console.log);
 *
 * Errors only as the source of hosts does. Unsubscribing cancels all work.
 */
export function sweep<Host, T>(
  hosts: ObservableInput<Host>,
  work: (host: Host) => Observable<T>,
  { atOnce = 64 }: SweepOptions = {},
): Observable<SweepEvent<Host, T>> {
  checkArgument('The work of sweep', work, 'function');
  inRange('The option atOnce of sweep', atOnce, 1, Number.MAX_SAFE_INTEGER);
  return from(hosts).pipe(
    mergeMap((host) => {
      const started = asyncScheduler.now();
      const end = (): { readonly host: Host; readonly milliseconds: number } => ({
        host,
        milliseconds: asyncScheduler.now() - started,
      });
      return concat(
        defer(() => work(host)).pipe(map((value) => ({ kind: 'value', host, value }) as const)),
        defer(() => of({ kind: 'done', ...end() } as const)),
      ).pipe(catchError((error: unknown) => of({ kind: 'failed', error, ...end() } as const)));
    }, atOnce),
  );
}
