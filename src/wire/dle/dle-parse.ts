import {
  compressionMethods,
  datapathKinds,
  dlePrograms,
  encryptionMethods,
  estimateMethods,
  levels,
  spindles,
  type Dle,
  type DleDatapath,
  type DleLevel,
  type DlePlugin,
  type DleProperty,
  type DleScript,
  type DleSelection,
  type EstimateMethod,
} from './dle.js';
import { badDle, parseElements, type Element } from './markup.js';
import { withoutUndefined, type Range } from '../ranges.js';
import { printable } from '../text.js';

/**
 * Reads the `<dle>` elements of a request, the part after its OPTIONS line.
 *
 * Unknown elements of a DLE are kept in `other`. Errors with `BAD_DLE` for malformed or too large
 * markup, a bad value, and a DLE without program or disk. Errors with it also for an element that
 * comes twice or lacks its text, and for an unknown element further inside. Source: PROTOCOL.md,
 * "Requests and replies".
 */
export function parseDles(text: string): Dle[] {
  return parseElements(text).map((element) => {
    if (element.name !== 'dle') throw badDle(`<${element.name}> stands where only <dle> may`);
    return parseDle(new Parts(element, undefined));
  });
}

function parseDle(parts: Parts): Dle {
  parts.refuseText();
  const calcsize = yesNo(parts.text('calcsize'));
  const plugin = parts.one('backup-program');
  const program = oneOf('program', parts.required('program'), dlePrograms);
  if (program === 'APPLICATION' && plugin === undefined)
    throw badDle('its program is APPLICATION and it names none');
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
    spindle: whole('spindle', parts.text('spindle'), spindles),
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

  /** `allowed` names the elements that may be inside; undefined allows any. */
  constructor(element: Element, allowed: readonly string[] | undefined) {
    this.#element = element;
    const unexpected =
      allowed === undefined
        ? undefined
        : element.children.find(({ name }) => !allowed.includes(name));
    if (unexpected !== undefined)
      throw badDle(`<${unexpected.name}> cannot be in <${element.name}>`);
  }

  refuseText(): void {
    if (this.#element.text !== '') throw badDle(`<${this.#element.name}> has a text of its own`);
  }

  all(name: string): readonly Element[] {
    this.#taken.add(name);
    return this.#element.children.filter((child) => child.name === name);
  }

  one(name: string): Element | undefined {
    const [first, second] = this.all(name);
    if (second !== undefined) throw badDle(`<${name}> is twice in <${this.#element.name}>`);
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
    if (text === undefined || text === '') throw badDle(`<${this.#element.name}> has no <${name}>`);
    return text;
  }

  others(): readonly Element[] {
    return this.#element.children.filter(({ name }) => !this.#taken.has(name));
  }
}

function leafText({ name, text, children }: Element): string {
  if (children.length > 0) throw badDle(`<${children[0]?.name ?? ''}> cannot be in <${name}>`);
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
  const level = whole('level', element.text.trim(), levels) ?? 0;
  return withoutUndefined({ level, server });
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
  // Amanda takes any text here as a yes.
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

function whole(name: string, text: string | undefined, [least, most]: Range): number | undefined {
  if (text === undefined) return undefined;
  const number = /^-?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most))
    throw badDle(`"${printable(text, 40)}" is no ${name} from ${least} to ${most}`);
  return number;
}

function oneOf<Word extends string>(name: string, text: string, words: readonly Word[]): Word {
  const word = words.find((known) => known === text);
  if (word === undefined)
    throw badDle(`"${printable(text, 40)}" is no ${name} (${words.join(', ')})`);
  return word;
}

function atLeastOne<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
