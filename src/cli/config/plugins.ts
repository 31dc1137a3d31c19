import type { DleProperty } from '../../wire/dle/dle.js';
import { printable } from '../../wire/text.js';
import { keyword, properties, wordList } from './dle-values.js';
import { configInvalid, positionText, type SourcePosition } from './lexer.js';
import { foldKeyword, type Statement } from './statements.js';
import { nameOf, quotedString, wholeValue } from './values.js';

/** An application or a script of a configuration. */
export interface PluginSettings {
  readonly plugin?: string;
  readonly properties?: readonly DleProperty[];
  readonly clientName?: string;
  /** Of a script: the moments, such as `PRE-DLE-AMCHECK`. */
  readonly executeOn?: readonly string[];
  readonly executeWhere?: 'CLIENT' | 'SERVER';
  /** Of a script: the lowest one runs first. Default 5000. */
  readonly order?: number;
}

/** Applications or scripts by their names in lower case. */
export type Plugins = ReadonlyMap<string, PluginSettings>;

/** The moments of scripts, in the order in which Amanda names them. */
const everyMoment = [
  ...['AMCHECK', 'ESTIMATE'].flatMap((what) => [
    `PRE-${what}`,
    `PRE-DLE-${what}`,
    `PRE-HOST-${what}`,
    `POST-DLE-${what}`,
    `POST-HOST-${what}`,
    `POST-${what}`,
  ]),
  ...['PRE', 'POST'].flatMap((when) => [
    `${when}-BACKUP`,
    `${when}-DLE-BACKUP`,
    `${when}-HOST-BACKUP`,
  ]),
  'PRE-RECOVER',
  'POST-RECOVER',
  'PRE-LEVEL-RECOVER',
  'POST-LEVEL-RECOVER',
  'INTER-LEVEL-RECOVER',
];

/** Reads the block of an application or a script, which may take over others by name. */
export function readPlugin(
  lines: readonly Statement[],
  known: Plugins,
  report: (line: string) => void,
): PluginSettings {
  let plugin: PluginSettings = {};
  for (const { words: all, at } of lines) {
    const [first, ...values] = all;
    const parent = values.length === 0 ? known.get(first.text.toLowerCase()) : undefined;
    const key = first.kind === 'word' ? foldKeyword(first.text) : '';
    if (parent !== undefined) plugin = inherit(plugin, parent);
    else if (key === 'plugin') plugin = { ...plugin, plugin: quotedString(values, key, at) };
    else if (key === 'client-name')
      plugin = { ...plugin, clientName: quotedString(values, key, at) };
    else if (key === 'property')
      plugin = { ...plugin, properties: properties(values, key, at, plugin.properties) };
    else if (key === 'execute-on') {
      const asked = wordList(values, key, at);
      const unknown = asked.find((moment) => !everyMoment.includes(moment));
      if (unknown !== undefined)
        throw configInvalid(at, `Amanda knows no moment ${printable(unknown.toLowerCase())}.`);
      plugin = { ...plugin, executeOn: everyMoment.filter((moment) => asked.includes(moment)) };
    } else if (key === 'execute-where')
      plugin = { ...plugin, executeWhere: keyword(['CLIENT', 'SERVER'])(values, key, at) };
    else if (key === 'order') plugin = { ...plugin, order: wholeValue(values, key, at) };
    else report(`${positionText(at)}: ${printable(first.text)} is of no use here, ignored.`);
  }
  return plugin;
}

function inherit(plugin: PluginSettings, parent: PluginSettings): PluginSettings {
  const replaced = new Set(parent.properties?.map(({ name }) => name));
  const kept = (plugin.properties ?? []).filter(({ name }) => !replaced.has(name));
  return { ...plugin, ...parent, properties: [...kept, ...(parent.properties ?? [])] };
}

/** The application or script that a line names, or that its block says. */
export function pluginOf(
  { words: [first, named, ...rest], at, body }: Statement,
  known: Plugins,
  report: (line: string) => void,
): PluginSettings {
  const key = foldKeyword(first.text);
  if (body !== undefined && named === undefined) return readPlugin(body, known, report);
  if (rest.length > 0 || (key === 'application' && named?.kind === 'word'))
    throw configInvalid(at, `${key} takes one name in double quotes, or a block.`);
  return lookUp(nameOf(named, `the name of the ${key}`, at), key, known, at);
}

function lookUp(name: string, key: string, known: Plugins, at: SourcePosition): PluginSettings {
  const plugin = known.get(name.toLowerCase());
  if (plugin !== undefined) return plugin;
  throw configInvalid(at, `there is no ${key} ${printable(name)}.`);
}
