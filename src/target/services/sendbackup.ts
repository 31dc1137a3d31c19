import { Observable, catchError, defer, of, switchMap } from 'rxjs';
import { reply, type Service, type ServiceReply } from '../../exchange/service.js';
import { AmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';
import { readDumpRequest, type DumpPermission } from './dump-request.js';
import { Dump, type DumpTools } from './dump.js';

export interface SendbackupOptions extends DumpPermission, Partial<DumpTools> {}

/**
 * The service that dumps a directory: GNU tar, in the form of Amanda's own sendbackup for the program GNUTAR.
 *
 * DATA is tar's archive, MESG what there is to say of it, INDEX (when asked for) the names in it, STATE
 * (when the requester knows it) empty. What a request asks for and is not possible is answered with
 * an ERROR line: other programs, compression and encryption here, include lists, scripts, levels without
 * `listDir`. Source: PROTOCOL.md, "Streams".
 */
export function sendbackup({
  tar = '/bin/tar',
  listDir,
  ...permission
}: SendbackupOptions = {}): Service {
  return (request) =>
    defer(() => readDumpRequest(request, permission)).pipe(
      switchMap((asked) => {
        if (asked.level > 0 && listDir === undefined) {
          throw new AmandaError(
            'BAD_REQUEST',
            `[sendbackup: level ${asked.level} is not possible here, only 0 is]`,
          );
        }
        return new Observable<ServiceReply>((out) => {
          const dump = new Dump(asked, { tar, listDir });
          dump.start().then(
            (started) => {
              out.next(started);
            },
            (error: unknown) => {
              out.error(error);
            },
          );
          return () => {
            dump.stop();
          };
        });
      }),
      catchError((error: unknown) => of(reply({ lines: [`ERROR ${reason(error)}`] }))),
    );
}

function reason(error: unknown): string {
  if (error instanceof AmandaError) return error.message;
  return `[sendbackup: ${printable(error instanceof Error ? error.message : String(error))}]`;
}
