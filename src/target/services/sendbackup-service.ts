import { Observable, catchError, defer, finalize, from, of, switchMap } from 'rxjs';
import { reply, type Service, type ServiceReply } from '../../exchange/service.js';
import { checkOptions } from '../../wire/arguments.js';
import { AmandaError } from '../../wire/errors.js';
import { messageOf, printable } from '../../wire/text.js';
import { readDumpRequest, type DumpPermission, type DumpRequest } from './dump-request.js';
import { TarDump, type DumpTools } from './tar-dump.js';

/** Options of {@link sendbackupService}. */
export interface SendbackupServiceOptions extends DumpPermission, Partial<DumpTools> {}

/**
 * The service that dumps a directory with GNU tar, as Amanda's sendbackup for the program GNUTAR.
 *
 * DATA is tar's archive, MESG its messages, INDEX (if requested) the names in it; STATE (if the
 * requester supports it) is empty. The reply is an ERROR line for what is not supported:
 *
 * - programs other than GNUTAR, include lists and scripts;
 * - compression and encryption on the client;
 * - levels above 0 without `listDir`.
 *
 * Source: PROTOCOL.md, "Streams".
 */
export function sendbackupService(options: SendbackupServiceOptions = {}): Service {
  checkOptions('sendbackupService', options, {
    tar: 'name?',
    listDir: 'name?',
    roots: 'strings?',
    allow: 'function?',
  });
  const { tar = '/bin/tar', listDir, ...permission } = options;
  return (request) =>
    defer(() => {
      const asking = readDumpRequest(request, permission);
      return from(asking).pipe(
        switchMap((asked) => dump(asked, { tar, listDir })),
        finalize(() => void closeDirectory(asking)),
      );
    }).pipe(
      catchError((error: unknown) => {
        // What `allow` throws is for the events alone, unless it is meant for the peer.
        if (!(error instanceof AmandaError)) throw error;
        return of(reply({ lines: [`ERROR ${error.message}`] }));
      }),
    );
}

function dump(asked: DumpRequest, tools: DumpTools): Observable<ServiceReply> {
  if (asked.level > 0 && tools.listDir === undefined) {
    throw new AmandaError(
      'BAD_REQUEST',
      `[sendbackup: level ${asked.level} is not possible here, only 0 is]`,
    );
  }
  return new Observable((out) => {
    const running = new TarDump(asked, tools);
    running.start().then(
      (started) => {
        out.next(started);
      },
      (error: unknown) => {
        out.error(toolFailed(error));
      },
    );
    return () => {
      running.stop();
    };
  });
}

/** Without a request there is nothing to close. */
async function closeDirectory(asking: Promise<DumpRequest>): Promise<void> {
  try {
    await (await asking).directory.handle?.close();
  } catch {
    // The error of the request is reported elsewhere.
  }
}

/** Tells the peer which tool could not be started, as sendbackup does. */
function toolFailed(cause: unknown): AmandaError {
  if (cause instanceof AmandaError) return cause;
  const why = `[sendbackup: ${printable(messageOf(cause))}]`;
  return new AmandaError('SERVICE_FAILED', why, { cause });
}
