import { printable } from '../../wire/text.js';
import { readDumptype, type Definitions, type Report } from './collect.js';
import { didYouMean } from '../terminal/suggest.js';
import {
  ConfigLexer,
  configInvalid,
  positionText,
  unescapeString,
  type SourcePosition,
} from './lexer.js';
import type { Settings } from './settings.js';
import { parseBlock } from './statements.js';

/** One line of a disklist: a disk of a host, and how it is backed up. */
export interface DisklistEntry {
  readonly at: SourcePosition;
  readonly host: string;
  readonly disk: string;
  /** The path to back up, if it differs from the name of the disk. */
  readonly device: string | undefined;
  /** The name of its dumptype; undefined when the entry has its own block. */
  readonly dumptype: string | undefined;
  readonly settings: Settings;
  /** Disks with the same number are not dumped at once. */
  readonly spindle?: number;
}

export interface DisklistOptions {
  readonly definitions: Definitions;
  readonly report: Report;
  readonly warn: Report;
  /** Reads the file of an `includefile NAME` line. */
  readonly include: (
    name: string,
    at: SourcePosition,
    parents: readonly string[],
  ) => { readonly text: string; readonly path: string };
}

/**
 * The entries of a disklist in order: `HOST DISK [DEVICE] DUMPTYPE|{…} [SPINDLE [INTERFACE]]`. The
 * text has one character for each byte. Errors with `CONFIG_INVALID`.
 */
export function parseDisklist(
  text: string,
  file: string,
  options: DisklistOptions,
): readonly DisklistEntry[] {
  const entries = readEntries(text, [file], options);
  refuseTwins(entries);
  return entries;
}

/**
 * As Amanda does: a host has one spelling, and a disk one entry. Two hosts, or two disks of a host,
 * do not become the same name of a file.
 */
function refuseTwins(entries: readonly DisklistEntry[]): void {
  const hosts = new Map<string, string>();
  const hostFiles = new Map<string, string>();
  const disks = new Map<string, DisklistEntry>();
  const diskFiles = new Map<string, string>();
  for (const entry of entries) {
    const { at, host, disk } = entry;
    const spelled = hosts.get(host.toLowerCase());
    if (spelled !== undefined && spelled !== host)
      throw configInvalid(
        at,
        `the host ${printable(host)} differs from ${printable(spelled)} in case only.`,
      );
    hosts.set(host.toLowerCase(), host);
    const before = disks.get(`${host} ${disk}`);
    if (before !== undefined)
      throw configInvalid(
        at,
        `the disk ${printable(disk)} of ${printable(host)} is there already, in ${positionText(before.at)}.`,
      );
    disks.set(`${host} ${disk}`, entry);
    refuseSameFile(hostFiles, fileName(host), host, at);
    refuseSameFile(diskFiles, `${host} ${fileName(disk)}`, disk, at);
  }
}

function refuseSameFile(
  known: Map<string, string>,
  file: string,
  name: string,
  at: SourcePosition,
): void {
  const other = known.get(file);
  if (other !== undefined && other !== name)
    throw configInvalid(
      at,
      `${printable(name)} and ${printable(other)} become the same name of a file, so Amanda takes only one of them.`,
    );
  known.set(file, name);
}

/** What Amanda makes of a name for its files. */
function fileName(name: string): string {
  return name.replace(/[/:\\]/g, '_');
}

/** `parents` are the including files, from the outermost to this one. */
function readEntries(
  text: string,
  parents: readonly string[],
  options: DisklistOptions,
): readonly DisklistEntry[] {
  const entries: DisklistEntry[] = [];
  const file = parents.at(-1) ?? '';
  for (let here = { offset: 0, line: 1 }; here.offset < text.length;) {
    const at = { file, line: here.line };
    const words = wordsOf(text, here.offset);
    const [host, disk] = words;
    let next = { offset: endOfLine(text, here.offset), line: here.line + 1 };
    if (host === 'includefile') {
      const included = options.include(required(disk, 'the name of the file', at), at, parents);
      entries.push(...readEntries(included.text, [...parents, included.path], options));
    } else if (host !== undefined) {
      const { entry, block, rest } = readEntry(words, at, options);
      const lexer = new ConfigLexer(text, file, next);
      if (!block) entries.push({ ...entry, ...placeOf(rest, at, options) });
      else {
        const { definitions } = options;
        const settings = readDumptype(parseBlock(lexer, at), definitions, options);
        const { offset, line } = lexer.position;
        const after = placeOf(wordsOf(text, offset), { file, line }, options);
        entries.push({ ...entry, settings, ...after });
        next = { offset: endOfLine(text, offset), line: line + 1 };
      }
    }
    here = next;
  }
  return entries;
}

function readEntry(
  words: readonly string[],
  at: SourcePosition,
  { definitions: { dumptypes } }: DisklistOptions,
): {
  readonly entry: DisklistEntry;
  readonly block: boolean;
  readonly rest: readonly string[];
} {
  const [host = ''] = words;
  const disk = required(words[1], 'the disk', at);
  const third = required(words[2], 'the dumptype', at);
  const isDevice = words[2] !== '{' && !dumptypes.has(third.toLowerCase());
  const device = isDevice ? third : undefined;
  const place = isDevice ? 3 : 2;
  if (words[place] === '{') {
    if (words.length > place + 1) throw configInvalid(at, 'a { is the last word of its line.');
    const entry = { at, host, disk, device, dumptype: undefined, settings: {} };
    return { entry, block: true, rest: [] };
  }
  const dumptype = unescapeString(words[place] ?? words[2] ?? '');
  const settings = dumptypes.get(dumptype.toLowerCase());
  if (settings === undefined)
    throw configInvalid(
      at,
      `there is no dumptype ${printable(dumptype)}.${didYouMean(dumptype, dumptypes.keys())}`,
    );
  const entry = { at, host, disk, device, dumptype, settings };
  return { entry, block: false, rest: words.slice(place + 1) };
}

/** Reads `[SPINDLE [INTERFACE]]`, the end of an entry. */
function placeOf(
  [spindle, network, ...more]: readonly string[],
  at: SourcePosition,
  { definitions: { interfaces } }: DisklistOptions,
): Pick<DisklistEntry, 'spindle'> {
  if (spindle === undefined) return {};
  if (!/^-?\d{1,9}$/.test(spindle))
    throw configInvalid(at, `a spindle is a whole number, not "${printable(spindle)}".`);
  if (network !== undefined && !interfaces.has(unescapeString(network).toLowerCase()))
    throw configInvalid(at, `there is no interface ${printable(network)}.`);
  if (more[0] !== undefined)
    throw configInvalid(at, `"${printable(more[0])}" is one word too many.`);
  return { spindle: Number(spindle) };
}

/**
 * The words of the line at `offset`, with their quotes, up to a comment. A blank in quotes does not
 * end a word.
 */
function wordsOf(text: string, offset: number): readonly string[] {
  const line = text.slice(offset, endOfLine(text, offset));
  const words: string[] = [];
  const word = /[ \t\r\v\f]*((?:"(?:\\[^]|[^"\\])*"?|\\[^]?|[^\s"\\])+)/y;
  for (;;) {
    const [, raw] = word.exec(line) ?? [];
    if (raw === undefined || raw.startsWith('#')) return words;
    words.push(raw);
  }
}

function endOfLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end + 1;
}

function required(word: string | undefined, what: string, at: SourcePosition): string {
  const text = unescapeString(word ?? '');
  if (text === '') throw configInvalid(at, `${what} is missing.`);
  return text;
}
