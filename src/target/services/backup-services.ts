import { defer } from 'rxjs';
import {
  reply,
  type IncomingRequest,
  type Service,
  type ServiceReply,
} from '../../exchange/service.js';
import type { Dle } from '../../wire/dle/dle.js';
import { checkArgument } from '../../wire/arguments.js';
import { formatOptions } from '../../wire/options.js';
import { quote } from '../../wire/quote.js';
import { printable } from '../../wire/text.js';
import { requestFeatures, requestOptions } from '../process/request-options.js';
import type { BackupImage, FindImage } from './backup-image.js';
import { readDumpHead, requestDles, whatIsUnsupported } from './dump-request.js';
import { ImageDump } from './image-dump.js';
import { noopService, ourFeatures } from './noop-service.js';
import { reason } from './failure-reason.js';

/** Options of {@link backupServices}. */
export interface BackupServicesOptions {
  /** GNU tar, by its absolute path where dumps are restored. Default `/bin/tar`. */
  readonly tar?: string;
}

/** The services that an Amanda server needs on a client. */
export type BackupServices = Readonly<
  Record<'noop' | 'selfcheck' | 'sendsize' | 'sendbackup', Service>
>;

/**
 * Makes a program an Amanda client. One function, which finds what to back up, answers all that a
 * server asks when it checks, estimates and dumps.
 *
 * The entries of the disk list have the program GNUTAR, so tar restores them; `tarArchive` makes
 * such images. `find` honours what an entry excludes. The server gets the message of an
 * AmandaError that `find` throws. After any other error the server hears "the service failed", and
 * the `ended` event has the error. Source: PROTOCOL.md, "Services".
 *
 * @example
 * ```ts
 * import { backupServices, listenBsdtcp, serve, tarArchive } from 'rx-amanda';
 *
 * const files = [{ name: 'orders.txt', content: 'milk\n' }];
 * const services = backupServices(({ disk }) =>
 *   disk === 'orders' ? tarArchive({ size: 5, files }) : undefined,
 * );
 *
 * serve(listenBsdtcp({ port: 10080 }), services).subscribe();
 * ```
 */
export function backupServices(
  find: FindImage,
  { tar = '/bin/tar' }: BackupServicesOptions = {},
): BackupServices {
  checkArgument('The function find of backupServices', find, 'function');
  return {
    noop: noopService(features),
    selfcheck: (request) => defer(() => selfcheck(request, find)),
    sendsize: (request) => defer(() => sendsize(request, find)),
    sendbackup: (request) => defer(() => sendbackup(request, find, tar)),
  };
}

/** Our selfcheck replies with lines instead of JSON. */
const features = ourFeatures.without('fe_selfcheck_message');
const optionsLine = formatOptions({ features }).trimEnd();

async function selfcheck(request: IncomingRequest, find: FindImage): Promise<ServiceReply> {
  const lines = [optionsLine];
  try {
    for (const dle of requestDles(request.arguments)) {
      const found = await lookFor(dle, 0, find, request);
      lines.push(typeof found === 'string' ? `ERROR [${found}]` : `OK ${quote(dle.disk)}`);
    }
  } catch (error) {
    lines.push(`ERROR ${reason(error, request)}`);
  }
  return reply({ lines });
}

async function sendsize(request: IncomingRequest, find: FindImage): Promise<ServiceReply> {
  const lines = [optionsLine];
  const quoted = requestFeatures(requestOptions(request.arguments)).has(
    'fe_rep_sendsize_quoted_error',
  );
  try {
    for (const dle of requestDles(request.arguments)) {
      for (const { level } of dle.levels ?? []) {
        const found = await lookFor(dle, level, find, request);
        const answer =
          typeof found === 'string'
            ? `ERROR ${quoted ? quote(found) : found}`
            : `SIZE ${kilobytes(found.size)}`;
        lines.push(`${quote(dle.disk)} ${level} ${answer}`);
      }
    }
  } catch (error) {
    lines.push(`ERROR ${reason(error, request)}`);
  }
  return reply({ lines });
}

async function sendbackup(
  request: IncomingRequest,
  find: FindImage,
  tar: string,
): Promise<ServiceReply> {
  try {
    const asked = readDumpHead(request);
    const found = await lookFor(asked.dle, asked.level, find, request);
    if (typeof found === 'string') return reply({ lines: [`ERROR [sendbackup: ${found}]`] });
    return reply({
      lines: [optionsLine],
      streams: new ImageDump({ asked, image: found, tar, request }).streams(),
    });
  } catch (error) {
    return reply({ lines: [`ERROR ${reason(error, request)}`] });
  }
}

/** The image, or the reason why there is none. */
async function lookFor(
  dle: Dle,
  level: number,
  find: FindImage,
  request: IncomingRequest,
): Promise<BackupImage | string> {
  const unsupported = whatIsUnsupported(dle);
  if (unsupported !== undefined) return unsupported;
  try {
    return (await find(dle, level)) ?? `${printable(dle.disk)} is not offered for backup here`;
  } catch (error) {
    return reason(error, request);
  }
}

/** A server takes an estimate of 0 as none. */
function kilobytes(size: number): number {
  return Math.max(1, Math.ceil(size / 1024));
}
