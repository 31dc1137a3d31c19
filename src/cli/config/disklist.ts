import { printable } from '../../wire/text.js';
import { readDumptype, type Report } from './collect.js';
import { ConfigLexer, configInvalid, unescapeString, type SourcePosition } from './lexer.js';
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
}

export interface DisklistOptions {
  /** Dumptypes by name in lower case. */
  readonly dumptypes: ReadonlyMap<string, Settings>;
  readonly report: Report;
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
  return readEntries(text, [file], options);
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
      const { entry, block } = readEntry(words, at, options);
      const lexer = new ConfigLexer(text, file, next);
      const settings = block
        ? readDumptype(parseBlock(lexer, at), options.dumptypes, options.report)
        : entry.settings;
      entries.push({ ...entry, settings });
      if (block)
        next = { offset: endOfLine(text, lexer.position.offset), line: lexer.position.line + 1 };
    }
    here = next;
  }
  return entries;
}

function readEntry(
  words: readonly string[],
  at: SourcePosition,
  { dumptypes }: DisklistOptions,
): { readonly entry: DisklistEntry; readonly block: boolean } {
  const [host = ''] = words;
  const disk = required(words[1], 'the disk', at);
  const third = required(words[2], 'the dumptype', at);
  const isDevice = words[2] !== '{' && !dumptypes.has(third.toLowerCase());
  const device = isDevice ? third : undefined;
  const place = isDevice ? 3 : 2;
  if (words[place] === '{') {
    if (words.length > place + 1) throw configInvalid(at, 'a { is the last word of its line.');
    return { entry: { at, host, disk, device, dumptype: undefined, settings: {} }, block: true };
  }
  const dumptype = unescapeString(words[place] ?? words[2] ?? '');
  const settings = dumptypes.get(dumptype.toLowerCase());
  if (settings === undefined)
    throw configInvalid(at, `there is no dumptype ${printable(dumptype)}.`);
  return { entry: { at, host, disk, device, dumptype, settings }, block: false };
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
