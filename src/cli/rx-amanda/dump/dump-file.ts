import {
  EMPTY,
  Observable,
  concat,
  concatMap,
  defer,
  ignoreElements,
  of,
  type OperatorFunction,
} from 'rxjs';
import { dumpHeader, type DumpHeaderOptions } from '../../../initiator/dump-header.js';
import {
  receiveDump,
  type DumpEvent,
  type ReceiveDumpOptions,
  type Sink,
} from '../../../initiator/receive-dump.js';
import type { Dump } from '../../../initiator/sendbackup.js';
import { withPartialFile, type PartialFile } from '../../terminal/partial-file.js';
import type { SideSinks } from './side-files.js';

export interface DumpFileOptions extends DumpHeaderOptions, ReceiveDumpOptions {
  /** The path of the dump file. */
  readonly path: string;
  /** Whether an existing file may be replaced; default no. */
  readonly overwrite?: boolean;
  /** Takes the index and the state; default nothing does. */
  readonly sinks?: SideSinks;
}

/**
 * Receives a dump into an Amanda dump file: a header of 32 KiB, then the data.
 *
 *     dump   -d--------------|
 *     out    ---m-s-p-p-m-m--D|      as of `receiveDump`; D: the verified file has its name
 *
 * The file exists before the source is subscribed, under a temporary name. An error or
 * unsubscribing removes it. Writes are synchronous, because nothing else waits meanwhile. Errors
 * with `FILE_FAILED` and as `receiveDump` does. Source: PROTOCOL.md, "The dump file".
 */
export function dumpToFile({
  path,
  overwrite = false,
  ...options
}: DumpFileOptions): OperatorFunction<Dump, DumpEvent> {
  return (dumps) => withPartialFile(path, overwrite, (file) => dumps.pipe(writeTo(file, options)));
}

function writeTo(
  file: PartialFile,
  { sinks, ...options }: DumpHeaderOptions & ReceiveDumpOptions & Pick<DumpFileOptions, 'sinks'>,
): OperatorFunction<Dump, DumpEvent> {
  return (dumps) =>
    new Observable((out) => {
      let started: Extract<DumpEvent, { kind: 'started' }> | undefined;
      const events = dumps.pipe(
        receiveDump(
          (dump, info) => {
            let front = [dumpHeader(dump, info, options)];
            const data: Sink = (chunk) => {
              file.appendNow([...front, chunk]);
              front = [];
              return EMPTY;
            };
            return { ...sinks, data };
          },
          { ...options, lease: true },
        ),
        concatMap((event) => {
          if (event.kind === 'started') started = event;
          if (event.kind !== 'done' || started === undefined) return of(event);
          const header = dumpHeader(started.dump, started.info, options, event.outcome);
          return concat(defer(() => complete(file, header)).pipe(ignoreElements()), of(event));
        }),
      );
      return events.subscribe(out);
    });
}

async function complete(file: PartialFile, header: Uint8Array): Promise<void> {
  await file.rewrite(header);
  await file.publish();
}
