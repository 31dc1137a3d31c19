import { AmandaError } from '../../wire/errors.js';
import { quotedWords, unquote } from '../../wire/quote.js';
import { printable } from '../../wire/text.js';
import { textOfEscaped } from './escaped-path.js';

/** Where a dump, or a part of it, is: files of one volume. */
export interface DumpVolume {
  /** The storage; undefined for servers from before 3.4. */
  readonly storage: string | undefined;
  /** The volume's label; for a dump on the holding disk, its file. */
  readonly label: string;
  /** The numbers of the files on it, in order; 0 for the holding disk. */
  readonly files: readonly number[];
}

/** A dump as the index server lists it. */
export interface IndexedDump {
  /** `YYYYMMDDhhmmss`, or `YYYYMMDD` from servers that say no more. */
  readonly datestamp: string;
  /** 0 is a full dump. */
  readonly level: number;
  /** In the order in which the parts follow one another. */
  readonly volumes: readonly DumpVolume[];
}

/** A file or a directory in a dump. */
export interface IndexedEntry {
  /** From the root of the disk: `/etc/hosts`; a directory ends in `/`. For people. */
  readonly path: string;
  /** The path as the index has it: in ASCII, with `\303\274` for the bytes of `ü`. Exact. */
  readonly escaped: string;
  /** The dump that has it. */
  readonly dump: IndexedDump;
}

/** Reads a line of `DHST`: `2026-11-23-19-55-07 0 lab:lab-001:2`. Throws `BAD_REPLY`. */
export function parseDumpLine(line: string): IndexedDump {
  const [date = '', level = '', ...rest] = line.trim().split(' ');
  const volumes = parseVolumes(rest.join(' '));
  return { datestamp: datestampOf(date, line), level: levelOf(level, line), volumes };
}

/**
 * Reads a line of `OLSD` or `ORLD`: `2026-11-23-19-55-07 0 "lab:lab-001:2" 2 /etc/hosts`. Throws
 * `BAD_REPLY`. `known` gives equal dumps one object.
 */
export function parseEntryLine(line: string, known: Map<string, IndexedDump>): IndexedEntry {
  const words = quotedWords(line.trim());
  const path = words.pop();
  const key = words.join(' ');
  let dump = known.get(key);
  if (dump === undefined) {
    const [date = '', level = '', label = ''] = words;
    dump = {
      datestamp: datestampOf(date, line),
      level: levelOf(level, line),
      volumes: parseVolumes(unquote(label)),
    };
    known.set(key, dump);
  }
  const escaped = unquote(path ?? '');
  if (!escaped.startsWith('/')) throw bad(line);
  return { path: textOfEscaped(escaped), escaped, dump };
}

/**
 * Reads where a dump is: `STORAGE:LABEL:FILE,FILE;STORAGE:LABEL:FILE`. A backslash precedes a
 * colon, a semicolon or a comma that belongs to a name.
 */
export function parseVolumes(text: string): DumpVolume[] {
  return splitEscaped(text, ';').map((part) => {
    const words = splitEscaped(part, ':').map((word) => word.replace(/\\([^])/g, '$1'));
    const files = words.pop() ?? '';
    const label = words.pop();
    if (label === undefined || words.length > 1 || !/^\d{1,15}(?:,\d{1,15})*$/.test(files))
      throw bad(text);
    return { storage: words[0], label, files: files.split(',').map(Number) };
  });
}

/** The text that {@link parseVolumes} reads. */
export function formatVolumes(volumes: readonly DumpVolume[]): string {
  const escape = (name: string): string => name.replace(/[\\:;,]/g, '\\$&');
  return volumes
    .map(({ storage, label, files }) =>
      [...(storage === undefined ? [] : [escape(storage)]), escape(label), files.join(',')].join(
        ':',
      ),
    )
    .join(';');
}

function splitEscaped(text: string, separator: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (const piece of text.match(/\\[^]|[^]/g) ?? []) {
    if (piece === separator) {
      parts.push(part);
      part = '';
    } else {
      part += piece;
    }
  }
  return [...parts, part];
}

function datestampOf(date: string, line: string): string {
  if (!/^\d{4}-\d\d-\d\d(?:-\d\d-\d\d-\d\d)?$/.test(date)) throw bad(line);
  return date.replaceAll('-', '');
}

function levelOf(level: string, line: string): number {
  if (!/^\d{1,3}$/.test(level)) throw bad(line);
  return Number(level);
}

function bad(line: string): AmandaError {
  return new AmandaError('BAD_REPLY', `The index server's line "${printable(line)}" is malformed.`);
}
