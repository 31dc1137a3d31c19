import { parseDles } from './dle-parse.js';
import { quotedWords, unquote } from '../quote.js';
import type { ParsedRequest } from '../request.js';
import { NEWLINE, decodeText } from '../text.js';

/** A disk that a request names. */
export interface RequestedDisk {
  readonly disk: string;
  /** Those asked for; empty when the request names none. */
  readonly levels: readonly number[];
}

/** What a request is about, for events, logs and pictures. */
export interface RequestSubject {
  readonly service: string;
  /** The disk, if the request names exactly one. */
  readonly disk?: string;
  /** The level, if the request names exactly one disk at one level. */
  readonly level?: number;
}

/** The services whose requests name disks. */
const diskServices: ReadonlySet<string> = new Set(['sendbackup', 'sendsize', 'selfcheck']);

/** Larger requests name many disks, and reading them takes time. */
const MOST_BYTES = 262_144;

/**
 * The disks that a request names; none for other services, and for what cannot be read. Reads XML,
 * and the line of text for each disk that Amanda before 2.6 has instead.
 */
export function requestedDisks({
  service,
  arguments: args,
}: Pick<ParsedRequest, 'service' | 'arguments'>): readonly RequestedDisk[] {
  if (!diskServices.has(service) || args.length > MOST_BYTES) return [];
  const text = decodeText(args.subarray(args.indexOf(NEWLINE) + 1)).replace(/\0.*$/s, '');
  if (!text.trimStart().startsWith('<')) return text.split('\n').flatMap(diskOfLine);
  try {
    return parseDles(text).map(({ disk, levels = [] }) => ({
      disk,
      levels: levels.map(({ level }) => level),
    }));
  } catch {
    return [];
  }
}

/** The service, and the disk and the level if there is one of each. */
export function requestSubject(
  request: Pick<ParsedRequest, 'service' | 'arguments'>,
): RequestSubject {
  const { service } = request;
  const [first, another] = requestedDisks(request);
  if (first === undefined || another !== undefined) return { service };
  const [level, more] = first.levels;
  return {
    service,
    disk: first.disk,
    ...(level === undefined || more !== undefined ? {} : { level }),
  };
}

/** `PROGRAM DISK [DEVICE] LEVEL DATE …`; the device may be left out. */
function diskOfLine(line: string): readonly RequestedDisk[] {
  const [program = '', disk, ...rest] = quotedWords(line);
  if (disk === undefined || !/^[A-Z][\w-]*$/.test(program)) return [];
  const level = rest.slice(0, 2).find((word) => /^\d{1,3}$/.test(word));
  return [{ disk: unquote(disk), levels: level === undefined ? [] : [Number(level)] }];
}
