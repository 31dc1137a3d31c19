import { of, type Observable } from 'rxjs';
import { capabilityChecks } from './capability-checks.js';
import type { Check, CheckUnit } from './check.js';
import type { DoctorOptions } from './doctor-options.js';
import { identityChecks } from './identity-checks.js';
import { namesChecks } from './names-checks.js';
import { privilegeChecks } from './privilege-checks.js';
import { reachabilityChecks } from './reachability-checks.js';
import { requestChecks } from './request-checks.js';
import { runChecks } from './run-checks.js';
import { isDatagramAuth, targetFacts, type TargetFacts } from './target-facts.js';

/** Makes all checks of a target that its auth has. */
export function examineTarget(options: DoctorOptions): Observable<Check> {
  const facts = targetFacts(options);
  return runChecks([
    ...configurationChecks(options),
    ...networkChecks(facts),
    ...requestChecks(facts, beforeRequests(facts)),
    ...capabilityChecks(facts),
  ]);
}

function configurationChecks({ configuration }: DoctorOptions): readonly CheckUnit[] {
  return configuration === undefined
    ? []
    : [
        {
          id: 'configuration.choice',
          group: 'configuration',
          needs: [],
          run: () => of(configuration),
        },
      ];
}

function networkChecks(facts: TargetFacts): readonly CheckUnit[] {
  return usesNetwork(facts)
    ? [
        ...namesChecks(facts),
        ...privilegeChecks(facts),
        ...reachabilityChecks(facts),
        ...identityChecks(facts),
      ]
    : [];
}

function usesNetwork({ auth }: TargetFacts): boolean {
  return auth === 'bsdtcp' || isDatagramAuth(auth);
}

function beforeRequests({ auth }: TargetFacts): readonly string[] {
  return isDatagramAuth(auth) ? ['reachability.udp'] : ['identity.amanda'];
}
