import { defer, from, switchMap, type Observable } from 'rxjs';
import type { Check } from './check.js';
import type { DoctorOptions } from './doctor-options.js';

/**
 * Examines why a target does not answer, or lets nothing in, and emits each check when it finishes.
 *
 *     out  ---c-cc--c-|        c: a Check; independent checks run side by side
 *
 *     doctor({ host, driver: bsdtcp({ host }) }).pipe(toArray()).subscribe((checks) => {
 *       console.log(firstToFix(checks)?.fix ?? 'all is well');
 *     });
 *
 * Never errors. Unsubscribing cancels all checks.
 */
export function doctor(options: DoctorOptions): Observable<Check> {
  // Loaded here, because programs that only connect need no checks.
  return defer(() => from(import('./examine-target.js'))).pipe(
    switchMap(({ examineTarget }) => examineTarget(options)),
  );
}
