import { hostname } from 'node:os';
import {
  concatMap,
  defaultIfEmpty,
  map,
  take,
  throwError,
  toArray,
  type Observable,
  of,
} from 'rxjs';
import type { IndexedDisk, IndexSession } from '../../../initiator/recover/index-session.js';
import { UsageError } from '../../terminal/arguments.js';
import { AmandaError } from '../../../wire/errors.js';
import { printable } from '../../../wire/text.js';

/** The most names that a message lists. */
const MOST_NAMES = 20;

/** What the user said about the place, as it was typed. */
export interface PlaceValues {
  readonly host?: string | undefined;
  readonly disk?: string | undefined;
}

/**
 * The disk to recover. Without a host it is this one, or the only one; without a disk, the only one
 * of the host. Errors with {@link UsageError} that lists the choices.
 */
export function choosePlace(
  session: IndexSession,
  { host, disk }: PlaceValues,
): Observable<IndexedDisk> {
  return (host === undefined ? session.hosts().pipe(toArray(), map(thisHost)) : of(host)).pipe(
    concatMap((chosen) =>
      (disk === undefined
        ? session.disks(chosen).pipe(
            toArray(),
            map((disks) => only('--disk', disks)),
          )
        : of(disk)
      ).pipe(map((name) => ({ host: chosen, disk: name }))),
    ),
  );
}

function thisHost(hosts: readonly string[]): string {
  const own = hostname();
  return (
    hosts.find((name) => name === own) ??
    hosts.find((name) => name.split('.')[0] === own.split('.')[0]) ??
    only('--host', hosts)
  );
}

function only(option: string, names: readonly string[]): string {
  const [first, ...others] = names;
  if (first === undefined)
    throw new UsageError(`${option} has no choices; the server has no dumps.`);
  if (others.length === 0) return first;
  const shown = names.slice(0, MOST_NAMES).map((name) => printable(name));
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  throw new UsageError(`${option} is missing; there are ${shown.join(', ')}${more}.`);
}

/** The date that the server is asked for: the given one, or that of the newest dump. */
export function chooseDate(
  session: IndexSession,
  place: IndexedDisk,
  date: string | undefined,
): Observable<string> {
  if (date !== undefined) return of(date);
  return session.dumps(place).pipe(
    take(1),
    map(({ datestamp }) => datestamp),
    defaultIfEmpty(undefined),
    concatMap((newest) => (newest === undefined ? throwError(() => noDump(place)) : of(newest))),
  );
}

function noDump({ host, disk }: IndexedDisk): AmandaError {
  return new AmandaError('SERVICE_FAILED', `There is no dump of ${host}:${disk}.`);
}

/** Reads `YYYY-MM-DD`, `YYYY-MM-DD-hh-mm-ss`, or the same without dashes. */
export function parseDate(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const digits = text.replace(/[-: T]/g, '');
  if (/^\d{8}(?:\d{6})?$/.test(digits)) return digits;
  throw new UsageError(`--date takes YYYY-MM-DD or YYYY-MM-DD-hh-mm-ss, not "${printable(text)}".`);
}

/** `2026-12-01 06:11:58`. */
export function shownDate(datestamp: string): string {
  const [, year, month, day, time = ''] = /^(....)(..)(..)(.*)$/.exec(datestamp) ?? [];
  const clock = (time.match(/../g) ?? []).join(':');
  return `${year}-${month}-${day}${clock === '' ? '' : ` ${clock}`}`;
}
