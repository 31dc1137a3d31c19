import { printable } from '../../wire/text.js';
import { configInvalid, positionText, type SourcePosition, type Token } from './lexer.js';
import { didYouMean } from '../terminal/suggest.js';
import { keywordsOf, takesKeyword } from './keywords.js';
import { pluginOf, readPlugin, type PluginSettings, type Plugins } from './plugins.js';
import { predefinedDumptypes } from './predefined.js';
import { belongs, isKey, withValue, type Key, type Scope, type Settings } from './settings.js';
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

/** What a configuration defines by name; the names are in lower case. */
export interface Definitions {
  readonly dumptypes: ReadonlyMap<string, Settings>;
  readonly applications: Plugins;
  readonly scripts: Plugins;
  readonly interfaces: ReadonlySet<string>;
}

/** The settings outside of blocks, and what is defined. */
export interface Configuration extends Definitions {
  readonly settings: Settings;
}

export interface CollectOptions {
  /** The file that it reads: amanda-client.conf or amanda.conf. */
  readonly scope: 'client' | 'server';
  readonly overrides: readonly Override[];
  /** Takes what is of no use here. */
  readonly report: Report;
  /** Takes what Amanda does not know. */
  readonly warn: Report;
}

/**
 * Collects the settings of statements; the last one of a key counts. Reports and ignores keys that
 * no driver needs. Errors with `CONFIG_INVALID`, naming file and line, also for a keyword of Amanda
 * that has no place in this part.
 */
export function collect(
  statements: Iterable<Statement>,
  { scope, overrides, report, warn }: CollectOptions,
): Configuration {
  const dumptypes = new Map(
    [...predefinedDumptypes].map(([name, own]) => [
      name,
      override(own, overridesOf(overrides, name)),
    ]),
  );
  const applications = new Map<string, PluginSettings>();
  const scripts = new Map<string, PluginSettings>();
  const interfaces = new Set(['default']);
  const reports = { report, warn };
  let settings: Settings = {};
  for (const statement of statements) {
    const { at, body } = statement;
    const [first, kind, named] = statement.words;
    if (first.kind === 'string')
      throw configInvalid(
        first.at,
        `a line begins with a keyword, not with "${printable(first.text)}".`,
      );
    const defined =
      foldKeyword(first.text) === 'define' && kind?.kind === 'word' && scope === 'server'
        ? foldKeyword(kind.text)
        : undefined;
    if (defined === 'dumptype') {
      const name = nameOf(named, 'the name of a dumptype', at);
      const id = name.toLowerCase();
      if (body === undefined) throw configInvalid(at, `the dumptype ${printable(name)} has no {.`);
      if (predefinedDumptypes.has(id))
        throw configInvalid(at, `the dumptype ${printable(name)} is Amanda's own.`);
      if (dumptypes.has(id))
        throw configInvalid(at, `a dumptype ${printable(name)} is there already.`);
      const own = readDumptype(body, { dumptypes, applications, scripts, interfaces }, reports);
      dumptypes.set(id, override(own, overridesOf(overrides, name)));
    } else if (defined === 'interface') {
      interfaces.add(nameOf(named, 'the name of an interface', at).toLowerCase());
    } else if (defined !== undefined && /^(application|script)(-tool)?$/.test(defined)) {
      const name = nameOf(named, 'the name of a plugin', at).toLowerCase();
      const known = defined.startsWith('script') ? scripts : applications;
      known.set(name, readPlugin(body ?? [], known, report));
    } else settings = withLine(settings, statement, scope, reports);
  }
  return { settings, dumptypes, applications, scripts, interfaces };
}

type Reports = Pick<CollectOptions, 'report' | 'warn'>;

/** Reads the lines of a dumptype: keys, and names of dumptypes whose settings are copied. */
export function readDumptype(
  lines: readonly Statement[],
  definitions: Definitions,
  reports: Reports,
): Settings {
  const { dumptypes, applications, scripts } = definitions;
  let settings: Settings = {};
  for (const line of lines) {
    const [first, ...values] = line.words;
    const key = foldKeyword(first.text);
    const isKeyword = first.kind === 'word' && takesKeyword(key, 'dumptype') === true;
    const isName = values.length === 0 && line.body === undefined && !isKeyword;
    const parent = isName ? dumptypes.get(first.text.toLowerCase()) : undefined;
    if (parent !== undefined) settings = inherited(settings, parent);
    else if (isName) {
      throw configInvalid(
        first.at,
        `no dumptype ${printable(first.text)} is defined before this line.`,
      );
    } else if (isKeyword && key === 'application')
      settings = {
        ...settings,
        application: { value: pluginOf(line, applications, reports.report), at: line.at },
      };
    else if (isKeyword && key === 'script')
      settings = withScripts(
        settings,
        [pluginOf(line, scripts, reports.report), ...(settings.script?.value ?? [])],
        line.at,
      );
    else settings = withLine(settings, line, 'dumptype', reports);
  }
  return settings;
}

/** The settings with those of another dumptype; scripts are added to the earlier ones. */
function inherited(settings: Settings, parent: Settings): Settings {
  const both = { ...settings, ...parent };
  if (settings.script === undefined || parent.script === undefined) return both;
  return withScripts(both, [...settings.script.value, ...parent.script.value], parent.script.at);
}

function withScripts(
  settings: Settings,
  value: readonly PluginSettings[],
  at: SourcePosition,
): Settings {
  return { ...settings, script: { value, at } };
}

function withLine(
  settings: Settings,
  { words: [first, ...values], at, body }: Statement,
  scope: Scope,
  { report, warn }: Reports,
): Settings {
  const key = first.kind === 'word' ? foldKeyword(first.text) : '';
  if (isKey(key) && belongs(key, scope) && body === undefined)
    return withValue(settings, key, values, at);
  const isTaken = takesKeyword(key, scope);
  if (isTaken === false)
    throw configInvalid(at, `${printable(first.text)} has no meaning in ${places[scope]}.`);
  if (isTaken === true)
    report(`${positionText(at)}: ${printable(first.text)} is of no use here, ignored.`);
  else
    warn(
      `${positionText(at)}: Amanda 3.5.1 knows no keyword ${printable(first.text)}, ignored.` +
        didYouMean(key, keywordsOf(scope)),
    );
  return settings;
}

const places: Readonly<Record<Scope, string>> = {
  client: 'amanda-client.conf',
  server: 'amanda.conf outside of a dumptype',
  dumptype: 'a dumptype',
};

/** The settings with the overrides applied. */
export function override(settings: Settings, overrides: readonly Override[]): Settings {
  return overrides.reduce<Settings>(
    (all, { key, value, at }) => withValue(all, key, value, at),
    settings,
  );
}

function overridesOf(overrides: readonly Override[], name: string): readonly Override[] {
  return overrides.filter(({ dumptype }) => dumptype === name.toLowerCase());
}
