import {
  compressionMethods,
  datapathKinds,
  encryptionMethods,
  estimateMethods,
  type Dle,
  type DleDatapath,
  type DleLevel,
  type DlePlugin,
  type DleProperty,
  type DleScript,
  type DleSelection,
  type EstimateMethod,
} from './dle-types.js';
import { AmandaError } from './errors.js';
import { parseElements, type Element } from './markup.js';
import { printable } from './text.js';

/**
 * Reads the `<dle>` elements of a request: what is behind its OPTIONS line.
 *
 * Elements of a DLE that are not known are kept in `other`. Errors with `BAD_DLE` for markup that is
 * malformed or too large, an element twice or without its text, an unknown element further inside, a
 * value that cannot be, and a DLE without program or disk. Source: PROTOCOL.md, "Requests and replies".
 */
export function parseDles(text: string): Dle[] {
  return parseElements(text).map((element) => {
    if (element.name !== 'dle') throw bad(`<${element.name}> stands where only <dle> may`);
    return parseDle(new Parts(element, undefined));
  });
}

function parseDle(parts: Parts): Dle {
  parts.refuseText();
  const calcsize = yesNo(parts.text('calcsize'));
  const plugin = parts.one('backup-program');
  const program = parts.required('program');
  if (program === 'APPLICATION' && plugin === undefined)
    throw bad('its program is APPLICATION and it names none');
  const estimate = parts.one('estimate');
  return withoutUndefined({
    program,
    disk: parts.required('disk'),
    diskdevice: parts.text('diskdevice'),
    estimate:
      estimate === undefined
        ? calcsize === true
          ? ['CALCSIZE']
          : undefined
        : parseEstimate(estimate.text),
    levels: atLeastOne(parts.all('level').map(parseLevel)),
    dumpdate: parts.text('dumpdate'),
    spindle: whole('spindle', parts.text('spindle'), -0x8000_0000, 0x7fff_ffff),
    auth: parts.text('auth'),
    compress: parseCoder(parts.one('compress'), 'custom-compress-program', compressionMethods),
    encrypt: parseCoder(parts.one('encrypt'), 'custom-encrypt-program', encryptionMethods),
    record: yesNo(parts.text('record')),
    index: yesNo(parts.text('index')),
    kencrypt: yesNo(parts.text('kencrypt')),
    datapath: parseDatapath(parts.one('datapath')),
    exclude: parseSelection(parts.one('exclude')),
    include: parseSelection(parts.one('include')),
    scripts: atLeastOne(parts.all('script').map(parseScript)),
    properties: atLeastOne(parts.all('property').map(parseProperty)),
    backupProgram:
      plugin === undefined
        ? undefined
        : parsePlugin(new Parts(plugin, ['plugin', 'property', 'client_name'])),
    other: atLeastOne(parts.others()),
  });
}

/** The elements inside an element, taken by name. */
class Parts {
  readonly #element: Element;
  readonly #taken = new Set<string>();

  /** `allowed` names what may be inside; undefined allows anything. */
  constructor(element: Element, allowed: readonly string[] | undefined) {
    this.#element = element;
    const stranger =
      allowed === undefined
        ? undefined
        : element.children.find(({ name }) => !allowed.includes(name));
    if (stranger !== undefined) throw bad(`<${stranger.name}> cannot be in <${element.name}>`);
  }

  refuseText(): void {
    if (this.#element.text !== '') throw bad(`<${this.#element.name}> has a text of its own`);
  }

  all(name: string): readonly Element[] {
    this.#taken.add(name);
    return this.#element.children.filter((child) => child.name === name);
  }

  one(name: string): Element | undefined {
    const [first, second] = this.all(name);
    if (second !== undefined) throw bad(`<${name}> is twice in <${this.#element.name}>`);
    return first;
  }

  text(name: string): string | undefined {
    const element = this.one(name);
    return element === undefined ? undefined : leafText(element);
  }

  texts(name: string): readonly string[] {
    return this.all(name).map(leafText);
  }

  required(name: string): string {
    const text = this.text(name);
    if (text === undefined || text === '') throw bad(`<${this.#element.name}> has no <${name}>`);
    return text;
  }

  others(): readonly Element[] {
    return this.#element.children.filter(({ name }) => !this.#taken.has(name));
  }
}

function leafText({ name, text, children }: Element): string {
  if (children.length > 0) throw bad(`<${children[0]?.name ?? ''}> cannot be in <${name}>`);
  return text;
}

function parseEstimate(text: string): EstimateMethod[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => oneOf('estimate', word, estimateMethods));
}

function parseLevel(element: Element): DleLevel {
  const server = yesNo(new Parts(element, ['server']).text('server'));
  const level = whole('level', element.text.trim(), 0, 399) ?? 0;
  return server === undefined ? { level } : { level, server };
}

function parseCoder<Method extends string>(
  element: Element | undefined,
  programName: string,
  methods: readonly Method[],
) {
  if (element === undefined) return undefined;
  const parts = new Parts(
    element,
    programName === 'custom-encrypt-program' ? [programName, 'decrypt-option'] : [programName],
  );
  const method = oneOf(element.name, element.text.trim(), methods);
  return withoutUndefined({
    method,
    program: parts.text(programName),
    decryptOption: parts.text('decrypt-option'),
  });
}

function parseDatapath(element: Element | undefined): DleDatapath | undefined {
  if (element === undefined) return undefined;
  return {
    kind: oneOf('datapath', element.text.trim(), datapathKinds),
    addresses: new Parts(element, ['directtcp']).texts('directtcp'),
  };
}

function parseSelection(element: Element | undefined): DleSelection | undefined {
  if (element === undefined) return undefined;
  const parts = new Parts(element, ['file', 'list', 'optional']);
  parts.refuseText();
  // Amanda takes any text here for a yes.
  const optional = parts.text('optional');
  return {
    files: parts.texts('file'),
    lists: parts.texts('list'),
    optional: optional !== undefined && optional !== '',
  };
}

function parsePlugin(parts: Parts): DlePlugin {
  parts.refuseText();
  return withoutUndefined({
    plugin: parts.required('plugin'),
    properties: parts.all('property').map(parseProperty),
    clientName: parts.text('client_name'),
  });
}

function parseScript(element: Element): DleScript {
  const parts = new Parts(element, [
    'plugin',
    'property',
    'client_name',
    'execute_on',
    'execute_where',
  ]);
  const executeOn = (parts.text('execute_on') ?? '').split(',').filter((word) => word !== '');
  return withoutUndefined({
    ...parsePlugin(parts),
    executeWhere: parts.text('execute_where'),
    executeOn,
  });
}

function parseProperty(element: Element): DleProperty {
  const parts = new Parts(element, ['name', 'priority', 'value']);
  parts.refuseText();
  const property = { name: parts.required('name'), values: parts.texts('value') };
  return parts.text('priority')?.toLowerCase() === 'yes'
    ? { ...property, priority: true }
    : property;
}

function yesNo(text: string | undefined): boolean | undefined {
  return text === undefined
    ? undefined
    : oneOf('answer', text.toUpperCase(), ['YES', 'NO']) === 'YES';
}

function whole(
  name: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined;
  const number = /^-?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most))
    throw bad(`"${printable(text, 40)}" is no ${name} from ${least} to ${most}`);
  return number;
}

function oneOf<Word extends string>(name: string, text: string, words: readonly Word[]): Word {
  const word = words.find((known) => known === text);
  if (word === undefined) throw bad(`"${printable(text, 40)}" is no ${name} (${words.join(', ')})`);
  return word;
}

function atLeastOne<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** Without the keys that are undefined, so that a DLE shows and compares as what it says. */
function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T;
}

function bad(why: string): AmandaError {
  return new AmandaError('BAD_DLE', `A DLE cannot be used, since ${why}.`);
}
