import {
  EMPTY,
  catchError,
  concat,
  concatMap,
  defer,
  filter,
  from,
  map,
  of,
  takeLast,
  tap,
  toArray,
  type Observable,
} from 'rxjs';
import type { IndexedDump } from '../../../initiator/recover/index-entries.js';
import {
  index,
  type IndexedDisk,
  type IndexSession,
} from '../../../initiator/recover/index-session.js';
import { restorePlan } from '../../../initiator/recover/restore-plan.js';
import type { DumpHeader } from '../../../wire/dumpfile.js';
import { isAmandaError, type AmandaErrorCode } from '../../../wire/errors.js';
import { formatVolumes } from '../../../initiator/recover/index-entries.js';
import { readInto, type ImageSource } from '../recover/get-images.js';
import { choosePlace, type PlaceValues } from '../recover/recover-place.js';
import { ImageCheck, type ImageVerdict } from './image-check.js';
import type { Verified } from './verify-files.js';

/** A dump to verify, and the names that its index has. */
interface ToVerify {
  readonly place: IndexedDisk;
  readonly dump: IndexedDump;
}

/** What to verify, as it was typed. */
export interface VerifyValues extends PlaceValues {
  readonly all: boolean;
  readonly date: string | undefined;
}

/** Failures of one dump. Others are those of the connection, and end the work. */
const OF_ONE_DUMP: ReadonlySet<AmandaErrorCode> = new Set<AmandaErrorCode>([
  'SERVICE_FAILED',
  'INCOMPLETE_DUMP',
  'CHECKSUM_MISMATCH',
  'BAD_DUMP_HEADER',
]);

/**
 * Reads the dumps that a disk needs at a date back from the server's volumes, and checks them. With
 * `all`, the last dump of each disk. One dump after another; a bad one is a verdict.
 */
export function verifyServer(
  source: Omit<ImageSource, 'place'>,
  values: VerifyValues,
  allowed: readonly string[],
): Observable<Verified> {
  const { connections, config, timing, silence } = source;
  const options = { config, ...(silence === undefined ? {} : { silence }), ...timing };
  const ask = <T>(work: (session: IndexSession) => Observable<T>): Observable<T> =>
    connections.pipe(index(options, work));
  return ask((session) => dumpsToVerify(session, values)).pipe(
    toArray(),
    concatMap((dumps) => from(dumps)),
    concatMap(({ place, dump }) =>
      ask((session) => namesOf(session, place, dump)).pipe(
        takeLast(1),
        concatMap((names) => verifyDump({ ...source, place }, dump, allowed, names)),
      ),
    ),
  );
}

function dumpsToVerify(session: IndexSession, values: VerifyValues): Observable<ToVerify> {
  const { all, date, host } = values;
  const planned = (place: IndexedDisk): Observable<ToVerify> =>
    session.dumps(place).pipe(
      toArray(),
      concatMap((dumps) => {
        if (all && dumps.length === 0) return EMPTY;
        const plan = restorePlan(dumps, date);
        return from(all ? plan.slice(-1) : plan);
      }),
      map((dump) => ({ place, dump })),
    );
  if (!all) return choosePlace(session, values).pipe(concatMap(planned));
  const hosts = host === undefined ? session.hosts() : of(host);
  return hosts.pipe(
    toArray(),
    concatMap((names) => from(names)),
    concatMap((name) =>
      session.disks(name).pipe(
        toArray(),
        concatMap((disks) => from(disks)),
        map((disk) => ({ host: name, disk })),
      ),
    ),
    toArray(),
    concatMap((places) => from(places)),
    concatMap(planned),
  );
}

/** The names of one dump; undefined without an index. */
function namesOf(
  session: IndexSession,
  place: IndexedDisk,
  { datestamp, level }: IndexedDump,
): Observable<readonly string[] | undefined> {
  return session.entries({ ...place, date: datestamp }, { recursive: true }).pipe(
    filter(({ dump }) => dump.datestamp === datestamp && dump.level === level),
    map(({ escaped }) => escaped),
    toArray(),
    map((names) => (names.length === 0 ? undefined : names)),
    catchError((error: unknown) => {
      if (isAmandaError(error, 'SERVICE_FAILED')) return of(undefined);
      throw error;
    }),
  );
}

function verifyDump(
  source: ImageSource,
  dump: IndexedDump,
  allowed: readonly string[],
  names: readonly string[] | undefined,
): Observable<Verified> {
  return defer(() => {
    let check: ImageCheck | undefined;
    let header: DumpHeader | undefined;
    let failure: string | undefined;
    const open = (found: DumpHeader) => {
      header = found;
      const opened = new ImageCheck(asSent(found), allowed, names);
      check = opened;
      return {
        write: (bytes: Uint8Array) => opened.write(bytes),
        finish: () => Promise.resolve(),
        abort: () => Promise.resolve(),
      };
    };
    const whole = formatVolumes(dump.volumes);
    const read = readInto(source, dump, open).pipe(
      tap((event) => {
        if (event.kind === 'volume') failure = `The volume ${event.label} is missing.`;
      }),
      concatMap(() => EMPTY),
      catchError((error: unknown) => {
        if (!isAmandaError(error) || !OF_ONE_DUMP.has(error.code)) throw error;
        failure = error.message;
        return EMPTY;
      }),
    );
    const verdict = defer(async (): Promise<Verified> => {
      const found = (await check?.finish()) ?? NOTHING;
      const findings =
        failure === undefined
          ? found.findings
          : [{ check: 'server' as const, message: failure }, ...found.findings];
      return { header, source: whole, verdict: { ...found, findings } };
    });
    return concat(read, verdict);
  });
}

/** A server undoes its own compression and encryption, and compares its own checksum before. */
function asSent(header: DumpHeader): DumpHeader {
  const { serverChecksum, ...rest } = header;
  const { clientChecksum } = rest;
  return serverChecksum?.crc === clientChecksum?.crc ? header : rest;
}

const NOTHING: ImageVerdict = {
  bytes: 0,
  entries: 0,
  checked: [],
  findings: [],
  flippedByte: undefined,
};
