import { defer, type Observable } from 'rxjs';
import type { Check } from '../check.js';
import { runChecks } from '../run-checks.js';
import { admissionChecks } from './admission-checks.js';
import { amandahostsChecks } from './amandahosts-checks.js';
import { certificateChecks } from './certificate-checks.js';
import { listenerChecks } from './listener-checks.js';
import { localFacts, type LocalDoctorOptions } from './local-facts.js';
import { programChecks } from './program-checks.js';
import { storageChecks } from './storage-checks.js';
import { userChecks } from './user-checks.js';

/** Makes all checks of this host as a target. Only reads. */
export function examineHost(options: LocalDoctorOptions): Observable<Check> {
  return defer(() => {
    const facts = localFacts(options);
    return runChecks([
      ...userChecks(facts),
      ...amandahostsChecks(facts),
      ...listenerChecks(facts),
      ...admissionChecks(facts),
      ...programChecks(facts),
      ...storageChecks(facts),
      ...certificateChecks(facts),
    ]);
  });
}
