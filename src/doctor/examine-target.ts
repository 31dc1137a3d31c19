import { switchMap, type Observable } from 'rxjs';
import { capabilityChecks } from './checks/capability-checks.js';
import { commandChecks } from './checks/command-checks.js';
import { configurationCheck } from './checks/configuration-check.js';
import { diskChecks } from './checks/disk-checks.js';
import { identityChecks } from './checks/identity-checks.js';
import { namesChecks } from './checks/names-checks.js';
import { privilegeChecks } from './checks/privilege-checks.js';
import { reachabilityChecks } from './checks/reachability-checks.js';
import { requestChecks } from './checks/request-checks.js';
import { tlsChecks } from './checks/tls-checks.js';
import { wayBackChecks } from './checks/way-back-checks.js';
import type { Check, CheckUnit } from './check.js';
import type { DoctorOptions } from './doctor-options.js';
import { sshDestination } from './probes/ssh-destination.js';
import { runChecks } from './run-checks.js';
import { targetFacts, type TargetFacts } from './target-facts.js';
import { tlsFacts } from './tls-facts.js';

/** Makes all checks of a target that its auth has. */
export function examineTarget(options: DoctorOptions): Observable<Check> {
  const { ssh } = options;
  if (options.driver.name !== 'ssh' || ssh === undefined) return examineAt(options, true);
  return sshDestination(ssh).pipe(
    switchMap(({ host, port, isDirect }) => examineAt({ ...options, host, port }, isDirect)),
  );
}

/** `isDirect`: the host and the port are those that packets go to. */
function examineAt(options: DoctorOptions, isDirect: boolean): Observable<Check> {
  const facts = targetFacts(options);
  const units = [
    ...(options.configuration === undefined ? [] : [configurationCheck(options.configuration)]),
    ...(hasNetwork(facts) && isDirect ? networkChecks(facts) : []),
    ...commandChecks(facts),
  ];
  return runChecks([
    ...units,
    ...requestChecks(facts, lastBefore(units)),
    ...capabilityChecks(facts),
    ...diskChecks(facts),
    ...wayBackChecks(facts),
  ]);
}

function hasNetwork({ auth }: TargetFacts): boolean {
  return ['bsdtcp', 'bsdudp', 'bsd', 'ssl', 'ssh'].includes(auth);
}

function networkChecks(facts: TargetFacts): readonly CheckUnit[] {
  const tls = facts.auth === 'ssl' ? tlsFacts(facts) : undefined;
  return [
    ...namesChecks(facts),
    ...privilegeChecks(facts),
    ...reachabilityChecks(facts),
    ...identityChecks(facts, tls),
    ...(tls === undefined ? [] : tlsChecks(facts, tls)),
  ];
}

/** The checks without which no request arrives; all precede the last one of their chain. */
function lastBefore(units: readonly CheckUnit[]): readonly string[] {
  const last = ['tls.accepted', 'ssh.session', 'identity.amanda', 'reachability.udp'].find((id) =>
    units.some((unit) => unit.id === id),
  );
  return last === undefined ? [] : [last];
}
