import { defer } from 'rxjs';
import type { Service } from '../../exchange/service.js';
import { checkArgument, checkMethods, checkOptions } from '../../wire/arguments.js';
import { BackupClient, clientFeatures, type BackupServicesOptions } from './backup-client.js';
import type { FindEntry } from './backup-entry.js';
import { noopService } from './noop-service.js';

export type { BackupServicesOptions };

/** The services that an Amanda server needs on a client. */
export type BackupServices = Readonly<
  Record<'noop' | 'selfcheck' | 'sendsize' | 'sendbackup', Service>
>;

/**
 * Makes a program an Amanda client. One function, which finds what to back up, answers all that a
 * server asks when it checks, estimates and dumps.
 *
 * The server gets the message of an AmandaError that the functions of the program throw. After any
 * other error it hears "the service failed", and the `ended` event has the error. What the disk
 * list demands and is not honoured fails the check, and the dump. Source: PROTOCOL.md, "Services".
 *
 * @example
 * ```ts
 * import { backupServices, listenBsdtcp, serve, tarArchive } from 'rx-amanda';
 *
 * const files = [{ name: 'orders.txt', content: 'milk\n' }];
 * const orders = { estimate: () => 5, dump: () => tarArchive({ files }) };
 * const services = backupServices(({ disk }) => (disk === 'orders' ? orders : undefined));
 *
 * serve(listenBsdtcp({ port: 10080 }), services).subscribe();
 * ```
 */
export function backupServices(
  find: FindEntry,
  options: BackupServicesOptions = {},
): BackupServices {
  checkArgument('The function find of backupServices', find, 'function');
  const { journal } = options;
  checkOptions('backupServices', options, {
    tar: 'name?',
    findTimeout: 'number?',
    sourceTimeout: 'number?',
  });
  if (journal !== undefined)
    checkMethods('The option journal of backupServices', journal, 'read', 'write');
  const client = new BackupClient(find, options);
  return {
    noop: noopService(clientFeatures),
    selfcheck: (request) => defer(() => client.selfcheck(request)),
    sendsize: (request) => defer(() => client.sendsize(request)),
    sendbackup: (request) => client.sendbackup(request),
  };
}
