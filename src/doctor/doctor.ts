import { defer, from, switchMap, type Observable } from 'rxjs';
import type { Check } from './check.js';
import type { LocalDoctorOptions } from './local/local-facts.js';
import type { DoctorOptions } from './doctor-options.js';

/**
 * Examines why a target does not answer, or lets nothing in, and emits each check when it finishes.
 *
 *     out  ---c-cc--c-|        c: a Check; independent checks run side by side
 *
 * Never errors. Unsubscribing cancels all checks.
 *
 * @example
 * ```ts
 * import { bsdtcp, doctor, firstToFix } from 'rx-amanda';
 * import { toArray } from 'rxjs';
 *
 * const host = 'db1.example.com';
 *
 * doctor({ host, driver: bsdtcp({ host }) })
 *   .pipe(toArray())
 *   .subscribe((checks) => console.log(firstToFix(checks)?.fix ?? 'all is well'));
 * ```
 */
export function doctor(options: DoctorOptions): Observable<Check> {
  // Loaded here, because programs that only connect need no checks.
  return defer(() => from(import('./examine-target.js'))).pipe(
    switchMap(({ examineTarget }) => examineTarget(options)),
  );
}

/**
 * Examines this host as a target: Amanda's user, .amandahosts, what starts amandad, its programs
 * and its folders. Emits each check when it finishes. Only reads, and never errors.
 *
 *     out  --c-ccc-c-|        c: a Check; independent checks run side by side
 *
 *
 * @example
 * ```ts
 * import { doctorLocal } from 'rx-amanda';
 *
 * doctorLocal().subscribe(({ id, status, fix }) => console.log(id, status, fix));
 * ```
 */
export function doctorLocal(options: LocalDoctorOptions = {}): Observable<Check> {
  return defer(() => from(import('./local/examine-host.js'))).pipe(
    switchMap(({ examineHost }) => examineHost(options)),
  );
}
