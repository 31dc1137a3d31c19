import { NEVER, of, type Observable } from 'rxjs';
import type { Service } from '../exchange/service.js';
import { amandaServiceNames, amandaServices } from '../target/amanda-services.js';
import type { ServiceMap } from '../target/serve.js';
import { noop } from '../target/services/noop.js';
import { sendbackup } from '../target/services/sendbackup.js';
import type { AmandadArguments } from './amandad-arguments.js';

/** What may be asked of an amandad started with these arguments: nothing with `trouble`. When `hurry` emits, executables that are being ended are killed. */
export function servicesOf(given: AmandadArguments, hurry: Observable<unknown> = NEVER, trouble?: Error): ServiceMap {
  const { auth, libexec, own, lists, shm, services: names, unknown } = given;
  const reason = unknown === undefined ? trouble?.message : `invalid '${unknown}' service as argument to amandad`;
  if (reason !== undefined) return Object.fromEntries(amandaServiceNames.map((name) => [name, refusing(reason)]));
  const executables = amandaServices({ auth, libexec, names, hurry, shm: shm ? 'pass' : 'hide' });
  if (!own) return executables;
  const ours = Object.entries({ noop: noop(), sendbackup: sendbackup(lists === undefined ? {} : { listDir: lists }) });
  return { ...executables, ...Object.fromEntries(ours.filter(([name]) => name in executables)) };
}

/** Started by inetd, nobody but the initiator can be told that an argument or the configuration is wrong: it is told instead of being served. */
function refusing(reason: string): Service {
  return Object.assign(() => NEVER, { check: () => of(reason) });
}
