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
import type { DumpEvent, DumpSinks, Sink } from '../../../initiator/receive-dump.js';
import type { Dump } from '../../../initiator/sendbackup.js';
import { withPartialFile, type PartialFile } from '../../terminal/partial-file.js';

/** The streams besides the data that may be kept. */
export type SideSinks = Pick<DumpSinks, 'index' | 'state'>;

/** The paths of their files. */
export interface SideFiles {
  readonly index?: string | undefined;
  readonly state?: string | undefined;
}

/**
 * Writes the index and the state of a dump into files.
 *
 *     dumps  -d--------------|
 *     out    ---m-s-p-p-m-m--D|      as `receive` emits; D: the files have their names
 *
 * The files exist before the source is subscribed. An error or unsubscribing removes them, and so
 * does a target that does not open their stream. Errors with `FILE_FAILED` and as `receive` does.
 */
export function withSideFiles(
  names: SideFiles,
  overwrite: boolean,
  receive: (sinks: SideSinks) => OperatorFunction<Dump, DumpEvent>,
): OperatorFunction<Dump, DumpEvent> {
  return (dumps) =>
    withOptionalFile(names.index, overwrite, (index) =>
      withOptionalFile(
        names.state,
        overwrite,
        (state) =>
          new Observable<DumpEvent>((out) => {
            let begun: Dump | undefined;
            const sinks = {
              index: index && appendingTo(index),
              state: state && appendingTo(state),
            };
            const events = dumps.pipe(
              receive(sinks),
              concatMap((event) => {
                if (event.kind === 'started') begun = event.dump;
                if (event.kind !== 'done') return of(event);
                const kept = [begun?.index && index, begun?.state && state];
                return concat(defer(() => publishAll(kept)).pipe(ignoreElements()), of(event));
              }),
            );
            return events.subscribe(out);
          }),
      ),
    );
}

function withOptionalFile<T>(
  path: string | undefined,
  overwrite: boolean,
  use: (file: PartialFile | undefined) => Observable<T>,
): Observable<T> {
  return path === undefined ? use(undefined) : withPartialFile(path, overwrite, use);
}

async function publishAll(files: readonly (PartialFile | undefined)[]): Promise<void> {
  for (const file of files) await file?.publish();
}

function appendingTo(file: PartialFile): Sink {
  return (chunk) => {
    file.appendNow([chunk]);
    return EMPTY;
  };
}
