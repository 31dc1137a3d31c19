import {
  catchError,
  concat,
  concatMap,
  defer,
  finalize,
  from,
  ignoreElements,
  of,
  tap,
  type Observable,
} from 'rxjs';
import type { Connection } from '../../../connection/connection.js';
import type { RequestOptions } from '../../../exchange/request.js';
import type { IndexedDump } from '../../../initiator/recover/index-entries.js';
import type { IndexedDisk } from '../../../initiator/recover/index-session.js';
import type {
  RestoreImageEvent,
  RestoreImageOptions,
} from '../../../initiator/recover/image-restore.js';
import { restoreImage } from '../../../initiator/recover/restore-image.js';
import type { DumpHeader } from '../../../wire/dumpfile.js';
import type { ImageTaker } from '../../archive/image-pipeline.js';

/** How images are read. */
export interface ImageSource {
  readonly connections: Observable<Connection>;
  readonly config: string;
  readonly place: IndexedDisk;
  readonly timing: RequestOptions;
  /** Milliseconds; undefined for the default. */
  readonly silence: number | undefined;
  readonly progressInterval: number;
  readonly onVolume: RestoreImageOptions['onVolume'];
  /** A storage, changer or device of the server. */
  readonly device: string | undefined;
}

/**
 * Reads one image from the server into a pipeline, which is made when its header has come. `done`
 * follows when the pipeline has finished. Otherwise the pipeline is given up.
 */
export function readInto(
  { connections, config, place, timing, silence, progressInterval, onVolume, device }: ImageSource,
  dump: IndexedDump,
  open: (header: DumpHeader) => ImageTaker,
): Observable<RestoreImageEvent> {
  return defer(() => {
    let pipeline: ImageTaker | undefined;
    let isFinished = false;
    const options: RestoreImageOptions = {
      ...timing,
      config,
      ...place,
      dump,
      lease: true,
      progressInterval,
      ...(silence === undefined ? {} : { silence }),
      ...(onVolume === undefined ? {} : { onVolume }),
      ...(device === undefined ? {} : { device }),
    };
    return connections.pipe(
      restoreImage(options, (header) => {
        const opened = open(header);
        pipeline = opened;
        return { data: (chunk) => opened.write(chunk) };
      }),
      concatMap((event) =>
        event.kind === 'done'
          ? concat(
              defer(() => pipeline?.finish() ?? Promise.resolve()).pipe(
                ignoreElements(),
                tap({
                  complete: () => {
                    isFinished = true;
                  },
                }),
              ),
              of(event),
            )
          : of(event),
      ),
      catchError(async (error: unknown) => {
        // Its files stay in use until it is gone.
        await pipeline?.abort();
        throw error;
      }),
      finalize(() => {
        if (!isFinished) pipeline?.abort().catch(() => undefined);
      }),
    );
  });
}

/** The same for several images, one after another. */
export function readImages(
  source: ImageSource,
  dumps: readonly IndexedDump[],
  open: (header: DumpHeader, at: number) => ImageTaker,
): Observable<RestoreImageEvent> {
  return from(dumps).pipe(
    concatMap((dump, at) => readInto(source, dump, (header) => open(header, at))),
  );
}
