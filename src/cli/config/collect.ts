import { printable } from '../../wire/text.js';
import { configInvalid, positionText, type SourcePosition, type Token } from './lexer.js';
import { belongs, isKey, keyReaders, type Key, type Scope, type Settings } from './settings.js';
import { foldKeyword, type Statement } from './statements.js';
import { nameOf } from './values.js';

/** Takes a line that says what is ignored, or what was chosen. */
export type Report = (line: string) => void;

/** A setting that overrides the files: `KEY=VALUE`, or `DUMPTYPE:NAME:KEY=VALUE`. */
export interface Override {
  /** The dumptype that it changes, in lower case. Absent when it changes the final settings. */
  readonly dumptype?: string;
  readonly key: Key;
  readonly value: readonly Token[];
  readonly at: SourcePosition;
}

/** The settings outside of blocks, and the dumptypes by name in lower case. */
export interface Configuration {
  readonly settings: Settings;
  readonly dumptypes: ReadonlyMap<string, Settings>;
}

export interface CollectOptions {
  /** The file that it reads: amanda-client.conf or amanda.conf. */
  readonly scope: 'client' | 'server';
  readonly overrides: readonly Override[];
  readonly report: Report;
}

/**
 * Collects the settings of statements; the last one of a key counts. Reports and ignores keys that
 * Amanda does not know, or that no driver needs. Errors with `CONFIG_INVALID`, naming file and
 * line.
 */
export function collect(
  statements: Iterable<Statement>,
  { scope, overrides, report }: CollectOptions,
): Configuration {
  const dumptypes = new Map<string, Settings>();
  let settings: Settings = {};
  for (const statement of statements) {
    const [first, kind, named] = statement.words;
    if (first.kind === 'string')
      throw configInvalid(
        first.at,
        `a line begins with a keyword, not with "${printable(first.text)}".`,
      );
    if (
      foldKeyword(first.text) !== 'define' ||
      kind?.kind !== 'word' ||
      foldKeyword(kind.text) !== 'dumptype' ||
      scope === 'client'
    ) {
      settings = withLine(settings, statement, scope, report);
      continue;
    }
    const name = nameOf(named, 'the name of a dumptype', statement.at);
    if (statement.body === undefined)
      throw configInvalid(statement.at, `the dumptype ${printable(name)} has no {.`);
    if (dumptypes.has(name.toLowerCase()))
      throw configInvalid(statement.at, `a dumptype ${printable(name)} is there already.`);
    const own = readDumptype(statement.body, dumptypes, report);
    dumptypes.set(name.toLowerCase(), override(own, overridesOf(overrides, name)));
  }
  return { settings, dumptypes };
}

/** Reads the lines of a dumptype: keys, and names of dumptypes whose settings are copied. */
export function readDumptype(
  lines: readonly Statement[],
  dumptypes: ReadonlyMap<string, Settings>,
  report: Report,
): Settings {
  let settings: Settings = {};
  for (const line of lines) {
    const [first, ...values] = line.words;
    const isName =
      values.length === 0 &&
      line.body === undefined &&
      (first.kind === 'string' || !isKey(foldKeyword(first.text)));
    const parent = isName ? dumptypes.get(first.text.toLowerCase()) : undefined;
    if (parent !== undefined) settings = { ...settings, ...parent };
    else if (isName && (first.kind === 'string' || !valueless.has(foldKeyword(first.text)))) {
      throw configInvalid(
        first.at,
        `no dumptype ${printable(first.text)} is defined before this line.`,
      );
    } else settings = withLine(settings, line, 'dumptype', report);
  }
  return settings;
}

/** The keywords of a dumptype that may have no value. They look like a name then. */
const valueless: ReadonlySet<string> = new Set([
  'ignore',
  'index',
  'kencrypt',
  'record',
  'skip-full',
  'skip-incr',
  'allow-split',
  'compress',
  'holdingdisk',
]);

function withLine(
  settings: Settings,
  { words: [first, ...values], at, body }: Statement,
  scope: Scope,
  report: Report,
): Settings {
  const key = first.kind === 'word' ? foldKeyword(first.text) : '';
  if (isKey(key) && belongs(key, scope) && body === undefined)
    return { ...settings, [key]: { value: keyReaders[key](values, key, at), at } };
  report(`${positionText(at)}: ${printable(first.text)} is of no use here, ignored.`);
  return settings;
}

/** The settings with the overrides applied. */
export function override(settings: Settings, overrides: readonly Override[]): Settings {
  return overrides.reduce<Settings>(
    (all, { key, value, at }) => ({
      ...all,
      [key]: { value: keyReaders[key](value, key, at), at },
    }),
    settings,
  );
}

function overridesOf(overrides: readonly Override[], name: string): readonly Override[] {
  return overrides.filter(({ dumptype }) => dumptype === name.toLowerCase());
}
