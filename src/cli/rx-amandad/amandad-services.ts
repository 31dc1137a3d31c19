import { NEVER, defer, from, of, switchMap, type Observable } from 'rxjs';
import type { Service } from '../../exchange/service.js';
import {
  amandaServiceNames,
  amandaServicesNamed,
} from '../../target/process/amanda-service-names.js';
import { whyNotExecutable } from '../../target/process/executable.js';
import { SHARED_MEMORY } from '../../target/process/shared-memory.js';
import type { ServiceMap } from '../../target/serve.js';
import { unsupportedFeatures, noopService } from '../../target/services/noop-service.js';
import type { AmandadArguments } from './amandad-arguments.js';

export interface ServicesOptions {
  /** Kills the executables that are ending, when it emits. Default: never. */
  readonly hurry?: Observable<unknown>;
  /** An error in the configuration. Every service is refused with it. */
  readonly problem?: Error | undefined;
  /**
   * Whether this process serves one connection only; then the code of a service loads on demand. A
   * daemon loads it at once, because its files may be replaced later.
   */
  readonly isSingleConnection?: boolean;
}

/** The services that the arguments name. */
export function servicesOf(
  args: AmandadArguments,
  { hurry = NEVER, problem, isSingleConnection = false }: ServicesOptions = {},
): ServiceMap {
  const { auth, own, services: words, unknown } = args;
  const reason =
    unknown === undefined
      ? problem?.message
      : `invalid '${unknown}' service as argument to amandad`;
  if (reason !== undefined)
    return Object.fromEntries(amandaServiceNames.map((name) => [name, refuse(reason)]));
  const loaded = isSingleConnection ? loadOnDemand : loadNow;
  const serviceOf = (name: string): Service => {
    if (own && name === 'noop') return noopService();
    if (own && name === 'sendbackup') return loaded(() => ownSendbackup(args));
    const executable = `${args.libexec}/${name}`;
    return Object.assign(
      loaded(() => executableService(executable, args, hurry)),
      { check: () => of(whyNotExecutable(executable)) },
    );
  };
  return Object.fromEntries(
    amandaServicesNamed(words, auth).map((name) => [name, serviceOf(name)]),
  );
}

async function ownSendbackup({ lists }: AmandadArguments): Promise<Service> {
  const { sendbackupService } = await import('../../target/services/sendbackup-service.js');
  return sendbackupService(lists === undefined ? {} : { listDir: lists });
}

async function executableService(
  executable: string,
  { auth, shm, own }: AmandadArguments,
  hurry: Observable<unknown>,
): Promise<Service> {
  const { processService } = await import('../../target/process/process-service.js');
  const hideFeatures = own ? unsupportedFeatures : shm ? [] : [SHARED_MEMORY];
  return processService(executable, { auth, killNow: hurry, hideFeatures });
}

function loadOnDemand(load: () => Promise<Service>): Service {
  return (request) => defer(load).pipe(switchMap((service) => service(request)));
}

function loadNow(load: () => Promise<Service>): Service {
  const loading = load();
  // Each request gets the error.
  loading.catch(() => undefined);
  return (request) => from(loading).pipe(switchMap((service) => service(request)));
}

/** Refuses every request. Under inetd the initiator is the only one that can see the reason. */
function refuse(reason: string): Service {
  return Object.assign(() => NEVER, { check: () => of(reason) });
}
