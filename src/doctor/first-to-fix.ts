import type { Check } from './check.js';

/** The ids of all checks in the order of causes: a fault in one shows in those after it. */
export const checkOrder: readonly string[] = [
  'configuration.choice',
  'names.forward',
  'names.trap',
  'privileges.source-port',
  'privileges.user',
  'reachability.tcp',
  'reachability.udp',
  'reachability.open',
  'reachability.program',
  'identity.amanda',
  'tls.own',
  'tls.chain',
  'tls.dates',
  'tls.strength',
  'tls.name',
  'tls.fingerprint',
  'tls.accepted',
  'ssh.login',
  'ssh.session',
  'request.noop',
  'request.services',
  'names.own',
  'names.target',
  'capabilities.features',
  'capabilities.time',
  'disk.selfcheck',
  'disk.estimate',
  'way-back.index',
  'local.user',
  'local.home',
  'local.listener',
  'local.server',
  'local.services',
  'local.programs',
  'local.libraries',
  'local.listening',
  'local.only-from',
  'local.tcp-wrapper',
  'local.amandahosts-file',
  'local.amandahosts-lines',
  'local.certificates',
  'local.runtar',
  'local.security',
  'local.shm',
  'local.lists',
  'local.space',
  'local.amandahosts-names',
];

/**
 * The finding to fix first; undefined when there is none. Failures precede warnings, and causes
 * precede effects.
 */
export function firstToFix(checks: readonly Check[]): Check | undefined {
  const sorted = [...checks].sort((one, other) => rank(one) - rank(other));
  return (
    sorted.find(({ status }) => status === 'failed') ??
    sorted.find(({ status }) => status === 'warning')
  );
}

/** An unknown check comes last. */
function rank({ id }: Check): number {
  const at = checkOrder.indexOf(id);
  return at < 0 ? checkOrder.length : at;
}
