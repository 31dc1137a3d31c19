import type { Writable } from 'node:stream';
import { Observable, defer, type OperatorFunction } from 'rxjs';
import { dumpHeader, type DumpHeaderOptions } from '../../../initiator/dump-header.js';
import {
  receiveDump,
  type DumpEvent,
  type ReceiveDumpOptions,
} from '../../../initiator/receive-dump.js';
import type { Dump } from '../../../initiator/sendbackup.js';
import { fileFailed } from '../../terminal/file-errors.js';
import type { SideSinks } from './side-files.js';

export interface DumpStreamOptions extends DumpHeaderOptions, ReceiveDumpOptions {
  /** The name of the stream in an error, such as "the standard output". */
  readonly name: string;
  /** Takes the index and the state; default nothing does. */
  readonly sinks?: SideSinks;
}

/**
 * Receives a dump into a stream: a header of 32 KiB without checksums, then the data.
 *
 * Sent bytes cannot be taken back, so only `done` says that the dump is complete. The stream is not
 * ended. Errors with `FILE_FAILED` (a closed reader, a full disk) and as `receiveDump` does.
 */
export function dumpToStream(
  stream: Writable,
  { name, sinks, ...options }: DumpStreamOptions,
): OperatorFunction<Dump, DumpEvent> {
  return (dumps) =>
    new Observable((out) => {
      const fail = (cause: Error): void => {
        out.error(fileFailed('write to', name, cause));
      };
      // A pipe may also break between two writes.
      stream.on('error', fail);
      const received = dumps.pipe(
        receiveDump(
          (dump, info) => {
            let header: Uint8Array | undefined = dumpHeader(dump, info, options);
            return {
              ...sinks,
              data: (chunk) =>
                defer(() => {
                  const front = header;
                  header = undefined;
                  if (front !== undefined) stream.write(front);
                  return written(stream, chunk, name);
                }),
            };
          },
          { ...options, lease: 'fd' in stream },
        ),
      );
      out.add(received.subscribe(out));
      return () => {
        // Later errors do not matter, and must not end the process.
        stream.off('error', fail).on('error', () => undefined);
      };
    });
}

/**
 * Completes when the stream has passed the bytes on. For a file, and for a pipe with room, that is
 * at once.
 */
function written(stream: Writable, chunk: Uint8Array, name: string): Observable<never> {
  return new Observable((done) => {
    stream.write(chunk, (cause) => {
      if (cause) done.error(fileFailed('write to', name, cause));
      else done.complete();
    });
    if (stream.writableLength === 0 && stream.errored === null && !stream.destroyed)
      done.complete();
  });
}
