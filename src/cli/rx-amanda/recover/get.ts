import {
  catchError,
  concat,
  defer,
  ignoreElements,
  map,
  of,
  throwError,
  type Observable,
} from 'rxjs';
import type { Connection } from '../../../connection/connection.js';
import type { RequestOptions } from '../../../exchange/request.js';
import { AmandaError } from '../../../wire/errors.js';
import type { DumpHeader } from '../../../wire/dumpfile.js';
import { printable } from '../../../wire/text.js';
import { ArchiveGuard, SelectionTooNarrow } from '../../archive/archive-guard.js';
import { ImagePipeline, type ImageTaker } from '../../archive/image-pipeline.js';
import { unpackInto, writeOn } from '../../archive/image-takers.js';
import { withRestoreFolder, type RestoreFolder } from '../../archive/restore-folder.js';
import { isTarImage } from '../../archive/tar-image.js';
import { TAR_END, TarReader } from '../../archive/tar-reader.js';
import type { Placed } from '../../archive/tree-placement.js';
import type { ProcessEnvironment } from '../environment.js';
import type { Output } from '../output.js';
import { progressInterval } from '../progress-line.js';
import { askVolume } from './ask-volume.js';
import { readImages, type ImageSource } from './get-images.js';
import type { GetPlan } from './get-plan.js';
import { showGetProgress, type GetCounts } from './get-progress.js';

/** How to restore. */
export interface GetOptions {
  readonly config: string;
  /** The folder to restore into; undefined for standard output. */
  readonly directory: string | undefined;
  readonly overwrite: boolean;
  /** Whether the image is passed on as it was sent. Only for one image to standard output. */
  readonly isRaw: boolean;
  /** The programs of headers that may be run. */
  readonly allowed: readonly string[];
  readonly device: string | undefined;
  readonly timing: RequestOptions;
  readonly silence: number | undefined;
}

/** What was restored. */
export interface Got extends GetCounts {
  readonly plan: GetPlan;
  readonly placed: Placed | undefined;
  readonly milliseconds: number;
}

/** The most paths that are added to a selection before all of the archive is unpacked. */
const MOST_WIDENINGS = 5;

/**
 * Restores what a plan says, into a folder or to standard output. Nothing is in place before
 * everything is unpacked. Errors as {@link readImages} does, with `BAD_ARCHIVE` and `FILE_FAILED`.
 */
export function get(
  connections: Observable<Connection>,
  plan: GetPlan,
  options: GetOptions,
  output: Output,
  environment: ProcessEnvironment,
): Observable<Got> {
  const started = performance.now();
  const counts: GetCounts = { bytes: 0, entries: 0 };
  const { config, timing, silence, device, directory } = options;
  const source: ImageSource = {
    connections,
    config,
    place: plan.place,
    timing,
    silence,
    device,
    progressInterval: progressInterval(environment),
    onVolume: askVolume(environment, output),
  };
  const restore = { source, plan, options, counts, output, environment };
  const selected = plan.paths.map(({ latin1 }) => latin1);
  const placed: Observable<Placed | undefined> =
    directory === undefined ? toStdout(restore) : intoFolder(restore, directory, selected);
  return placed.pipe(
    map((done) => ({ ...counts, plan, placed: done, milliseconds: performance.now() - started })),
  );
}

interface Restore {
  readonly source: ImageSource;
  readonly plan: GetPlan;
  readonly options: GetOptions;
  readonly counts: GetCounts;
  readonly output: Output;
  readonly environment: ProcessEnvironment;
}

function intoFolder(
  restore: Restore,
  directory: string,
  selected: readonly string[],
  widenings = 0,
): Observable<Placed> {
  const { plan, options, output } = restore;
  return withRestoreFolder(directory, (folder) => {
    for (const name of folder.leftovers)
      output.note(`an interrupted run has left ${printable(name)}; it may be removed.`);
    return concat(
      allImages(restore, selected, () => unpackInto(folder.tree)),
      defer(() => checkAndPlace(folder, plan, options.overwrite)),
    );
  }).pipe(
    catchError((error: unknown) => {
      if (!(error instanceof SelectionTooNarrow)) return throwError(() => error);
      restore.counts.entries = 0;
      const needed = widenings < MOST_WIDENINGS ? error.needed : '/';
      return intoFolder(restore, directory, [...selected, needed], widenings + 1);
    }),
  );
}

async function checkAndPlace(
  folder: RestoreFolder,
  { paths, place }: GetPlan,
  overwrite: boolean,
): Promise<Placed> {
  for (const { latin1, shown } of paths)
    if (!(await folder.has(latin1)))
      throw new AmandaError(
        'SERVICE_FAILED',
        `${printable(shown)} is in the index, and was removed from ${place.host} before that date.`,
      );
  return await folder.place(
    paths.map(({ latin1 }) => latin1),
    overwrite,
  );
}

const NOTHING = new Uint8Array(0);

/** One archive on standard output: the members of all images, and one end. */
function toStdout(restore: Restore): Observable<undefined> {
  const { plan, options, environment } = restore;
  const { stdout } = environment;
  const selected = plan.paths.map(({ latin1 }) => latin1);
  const last = plan.dumps.length - 1;
  const written = allImages(restore, selected, (at) =>
    writeOn(stdout, 'standard output', at === last && !options.isRaw ? TAR_END : NOTHING),
  );
  return concat(written, of(undefined)).pipe(
    catchError((error: unknown) => {
      if (!(error instanceof SelectionTooNarrow)) return throwError(() => error);
      const advice = `${error.message} Name it as another PATH, or restore into a folder.`;
      return throwError(() => new AmandaError('BAD_ARCHIVE', advice));
    }),
  );
}

function allImages(
  { source, plan, options, counts, output, environment }: Restore,
  selected: readonly string[],
  takerOf: (at: number) => ImageTaker,
): Observable<never> {
  const guard = new ArchiveGuard(selected, () => {
    counts.entries++;
  });
  return readImages(source, plan.dumps, (header, at) => {
    if (options.isRaw) return takerOf(at);
    checkIsTar(header);
    const reader = new TarReader(guard.choose);
    return new ImagePipeline({ header, reader, taker: takerOf(at), allowed: options.allowed });
  }).pipe(showGetProgress(counts, plan.dumps.length, output, environment), ignoreElements());
}

function checkIsTar(header: DumpHeader): void {
  if (isTarImage(header)) return;
  const { application, program } = header;
  const made = printable(application ?? program);
  throw new AmandaError(
    'SERVICE_FAILED',
    `The dump was made by ${made}, whose images only it can unpack; --raw writes the image.`,
  );
}
