import { NEVER, defer, from, of, switchMap, type Observable } from 'rxjs';
import type { Service } from '../../exchange/service.js';
import {
  amandaServiceNames,
  amandaServicesNamed,
} from '../../target/process/amanda-service-names.js';
import { whyNotExecutable } from '../../target/process/executable.js';
import type { ServiceMap } from '../../target/serve.js';
import { noopService } from '../../target/services/noop-service.js';
import type { AmandadArguments } from './amandad-arguments.js';

export interface ServicesOptions {
  /** When it emits, executables that are being ended are killed. Default: never. */
  readonly hurry?: Observable<unknown>;
  /** What is wrong with the configuration: every service is refused with it. */
  readonly trouble?: Error | undefined;
  /** Whether this process serves one connection alone: what runs services is loaded when one is asked for then. A daemon's files may be other ones by that time. */
  readonly isForOne?: boolean;
}

/** What may be asked of an amandad started with these arguments. */
export function servicesOf(
  given: AmandadArguments,
  { hurry = NEVER, trouble, isForOne = false }: ServicesOptions = {},
): ServiceMap {
  const { auth, own, services: words, unknown } = given;
  const reason =
    unknown === undefined
      ? trouble?.message
      : `invalid '${unknown}' service as argument to amandad`;
  if (reason !== undefined)
    return Object.fromEntries(amandaServiceNames.map((name) => [name, refusing(reason)]));
  const loaded = isForOne ? whenAsked : atOnce;
  const serviceOf = (name: string): Service => {
    if (own && name === 'noop') return noopService();
    if (own && name === 'sendbackup') return loaded(() => ownSendbackup(given));
    const executable = `${given.libexec}/${name}`;
    return Object.assign(
      loaded(() => executableService(executable, given, hurry)),
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
  { auth, shm }: AmandadArguments,
  hurry: Observable<unknown>,
): Promise<Service> {
  const { processService } = await import('../../target/process/process-service.js');
  return processService(executable, { auth, killNow: hurry, shm: shm ? 'pass' : 'hide' });
}

function whenAsked(load: () => Promise<Service>): Service {
  return (request) => defer(load).pipe(switchMap((service) => service(request)));
}

function atOnce(load: () => Promise<Service>): Service {
  const loading = load();
  // Whoever asks is told.
  loading.catch(() => undefined);
  return (request) => from(loading).pipe(switchMap((service) => service(request)));
}

/** Started by inetd, nobody but the initiator can be told that an argument or the configuration is wrong: it is told instead of being served. */
function refusing(reason: string): Service {
  return Object.assign(() => NEVER, { check: () => of(reason) });
}
