import { EMPTY, concat, defer, ignoreElements, of, tap, type Observable } from 'rxjs';
import { sweep } from '../../initiator/sweep.js';
import { takePositionals, wholeNumber } from '../terminal/arguments.js';
import { exitCodeOf, exitCodes } from '../terminal/exit.js';
import type { Output } from './output.js';

/** The options of every command that takes several hosts. */
export const manyHostsOptions = { parallel: { type: 'string' } } as const;

/** Their help. */
export function manyHostsHelp(atOnce = 64): string {
  return `Several hosts:
  --parallel N            how many are asked at once; default ${atOnce}
  HOST may be HOST:PORT or [ADDRESS]:PORT. Each host that fails is told, the
  others go on, and the exit code is the highest one.`;
}

/**
 * Splits `HOST… WORD…` into the hosts, each once, and as many words as `after` has names. Throws
 * `UsageError`.
 */
export function takeHosts(
  positionals: readonly string[],
  after: readonly string[] = [],
): { readonly hosts: readonly string[]; readonly rest: readonly string[] } {
  const count = Math.max(1, positionals.length - after.length);
  takePositionals(positionals.slice(0, 1 + after.length), ['HOST', ...after]);
  return { hosts: [...new Set(positionals.slice(0, count))], rest: positionals.slice(count) };
}

/**
 * Runs `work`, which emits exit codes, for each host, and emits the highest code. The failure of a
 * single host is an error; that of one among several is printed.
 */
export function askEach<Host extends { readonly place: string }>(
  hosts: readonly Host[],
  { parallel }: { readonly parallel?: string | undefined },
  output: Output,
  work: (host: Host) => Observable<number>,
): Observable<number> {
  const atOnce = wholeNumber('--parallel', parallel, 1, 10_000);
  const [first, ...others] = hosts;
  if (first === undefined) return EMPTY;
  if (others.length === 0) return work(first);
  let code: number = exitCodes.success;
  return concat(
    sweep(hosts, work, atOnce === undefined ? {} : { atOnce }).pipe(
      tap((event) => {
        if (event.kind === 'value') code = Math.max(code, event.value);
        if (event.kind !== 'failed') return;
        code = Math.max(code, exitCodeOf(event.error));
        output.failure(event.error, event.host.place);
      }),
      ignoreElements(),
    ),
    defer(() => of(code)),
  );
}
