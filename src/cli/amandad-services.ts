import { amandaServices } from '../target/amanda-services.js';
import type { ServiceMap } from '../target/serve.js';
import { noop } from '../target/services/noop.js';
import { sendbackup } from '../target/services/sendbackup.js';
import type { AmandadArguments } from './amandad-arguments.js';

/** What may be asked of an amandad started with these arguments. */
export function servicesOf({ auth, libexec, own, services: names }: AmandadArguments): ServiceMap {
  const executables = amandaServices({ auth, libexec, names });
  if (!own) return executables;
  const ours = Object.entries({ noop: noop(), sendbackup: sendbackup() });
  return { ...executables, ...Object.fromEntries(ours.filter(([name]) => name in executables)) };
}
