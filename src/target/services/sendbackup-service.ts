import { Observable } from 'rxjs';
import { reply, type Service, type ServiceReply } from '../../exchange/service.js';
import { AmandaError } from '../../wire/errors.js';
import { messageOf, printable } from '../../wire/text.js';
import { readDumpRequest, type DumpPermission } from './dump-request.js';
import { TarDump, type DumpTools } from './tar-dump.js';

export interface SendbackupServiceOptions extends DumpPermission, Partial<DumpTools> {}

/**
 * The service that dumps a directory with GNU tar, as Amanda's sendbackup for the program GNUTAR.
 *
 * DATA is tar's archive, MESG its messages, INDEX (if requested) the names in it; STATE (if the
 * requester supports it) is empty. The reply is an ERROR line for what is not supported: other
 * programs, compression and encryption on the client, include lists, scripts, and levels above 0
 * without `listDir`. Source: PROTOCOL.md, "Streams".
 */
export function sendbackupService({
  tar = '/bin/tar',
  listDir,
  ...permission
}: SendbackupServiceOptions = {}): Service {
  return (request) =>
    new Observable<ServiceReply>((out) => {
      let dump: TarDump | undefined;
      const start = async (): Promise<ServiceReply> => {
        const asked = await readDumpRequest(request, permission, listDir === undefined ? 0 : 9);
        dump = new TarDump(asked, { tar, listDir });
        if (out.closed) dump.stop();
        return dump.start();
      };
      start().then(
        (started) => {
          out.next(started);
        },
        (error: unknown) => {
          out.next(reply({ lines: [`ERROR ${reason(error)}`] }));
          out.complete();
        },
      );
      return () => {
        dump?.stop();
      };
    });
}

function reason(error: unknown): string {
  if (error instanceof AmandaError) return error.message;
  return `[sendbackup: ${printable(messageOf(error))}]`;
}
