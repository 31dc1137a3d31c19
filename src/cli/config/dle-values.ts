import {
  datapathKinds,
  estimateMethods,
  type DleProperty,
  type DleSelection,
  type EstimateMethod,
} from '../../wire/dle/dle.js';
import { configInvalid, type SourcePosition, type Token } from './lexer.js';
import { foldKeyword } from './statements.js';
import { quotedString, type ValueReader } from './values.js';

const compressions = ['FAST', 'BEST', 'CUSTOM'] as const;

/** In which way and on which side a dump is compressed. */
export type Compression =
  'NONE' | (typeof compressions)[number] | `SERVER-${(typeof compressions)[number]}`;

/** `none`, or a side and a way in any order; the client and fast are the defaults. */
export const compression: ValueReader<Compression> = (values, key, at) => {
  const found = wordsOf(values);
  const take = (word: string): boolean => {
    const place = found?.indexOf(word) ?? -1;
    if (place >= 0) found?.splice(place, 1);
    return place >= 0;
  };
  const [isServer, isClient] = [take('server'), take('client')];
  const isNone = take('none');
  const kinds = compressions.filter((kind) => take(kind.toLowerCase()));
  const [kind = 'FAST', another] = kinds;
  if (
    found?.length !== 0 ||
    another !== undefined ||
    (isServer && isClient) ||
    (isNone && kinds.length > 0)
  )
    throw configInvalid(
      at,
      `${key} takes none, or client or server with fast, best or custom, without quotes.`,
    );
  return isNone ? 'NONE' : isServer ? `SERVER-${kind}` : kind;
};

/** One of these words, without quotes. */
export function keyword<Word extends string>(words: readonly Word[]): ValueReader<Word> {
  return (values, key, at) => {
    const [found, another] = wordsOf(values) ?? [];
    const word = words.find((known) => known.toLowerCase() === found);
    if (word !== undefined && another === undefined) return word;
    throw configInvalid(at, `${key} takes one of ${words.join(', ').toLowerCase()}.`);
  };
}

export const encryption = keyword(['NONE', 'CLIENT', 'SERVER']);
export const strategy = keyword(['STANDARD', 'NOFULL', 'NOINC', 'SKIP', 'INCRONLY']);
export const datapath = keyword(datapathKinds);

/** The ways of an estimate, best first. */
export const estimates: ValueReader<readonly EstimateMethod[]> = (values, key, at) => {
  const found = wordsOf(values)?.map((word) =>
    estimateMethods.find((method) => method.toLowerCase() === word),
  );
  const methods = found?.filter((method) => method !== undefined) ?? [];
  if (methods.length > 0 && methods.length === found?.length) return methods;
  throw configInvalid(at, `${key} takes client, calcsize or server, or several of them.`);
};

/** The programs that Amanda knows, in quotes. */
export const programName: ValueReader<string> = (values, key, at) => {
  const name = quotedString(values, key, at);
  if (['DUMP', 'GNUTAR', 'STAR', 'APPLICATION'].includes(name)) return name;
  throw configInvalid(at, `${key} is "DUMP", "GNUTAR", "STAR" or "APPLICATION".`);
};

/** `[list|file] [optional] [append] "…" …`; without `append` the earlier ones of its kind go. */
export const selection: ValueReader<DleSelection> = (
  values,
  key,
  at,
  { files, lists } = { files: [], lists: [], optional: false },
) => {
  let rest = values;
  const take = (word: string): boolean => {
    const [first] = rest;
    const isThere = first?.kind === 'word' && foldKeyword(first.text) === word;
    if (isThere) rest = rest.slice(1);
    return isThere;
  };
  const isList = take('list');
  if (!isList) take('file');
  const optional = take('optional');
  const appends = take('append');
  const names = rest.flatMap((token) => (token.kind === 'string' ? [token.text] : []));
  if (names.length < rest.length)
    throw configInvalid(at, `${key} takes [list|file] [optional] [append] and names in quotes.`);
  const before = appends && names.length > 0 ? (isList ? lists : files) : [];
  return isList
    ? { files, lists: [...before, ...names], optional }
    : { files: [...before, ...names], lists, optional };
};

/** `[append] [priority] [hidden|visible] "name" "value" …`, added to the earlier ones. */
export const properties: ValueReader<readonly DleProperty[]> = (values, key, at, earlier = []) => {
  const start = values.findIndex(({ kind }) => kind === 'string');
  const marks = wordsOf(start < 0 ? values : values.slice(0, start));
  const texts = values
    .slice(Math.max(0, start))
    .flatMap((token) => (token.kind === 'string' ? [token.text] : []));
  const [name, ...own] = texts;
  const known = ['append', 'priority', 'hidden', 'visible'];
  if (
    name === undefined ||
    marks?.every((mark) => known.includes(mark)) !== true ||
    texts.length < values.length - start
  )
    throw configInvalid(at, `${key} takes a name and values, each in double quotes.`);
  const folded = foldKeyword(name);
  const before = earlier.find((property) => property.name === folded);
  const kept = marks.includes('append') ? (before?.values ?? []) : [];
  const property = {
    name: folded,
    values: [...kept, ...own],
    ...(marks.includes('priority') ? { priority: true } : {}),
  };
  return [...earlier.filter((other) => other !== before), property];
};

/** Names of moments, with commas between. */
export function wordList(values: readonly Token[], key: string, at: SourcePosition): string[] {
  const found = values.flatMap((token) =>
    token.kind === 'word' ? [foldKeyword(token.text).toUpperCase()] : [],
  );
  const isWritten = values.every((token, place) =>
    place % 2 === 0 ? token.kind === 'word' : token.kind === 'mark' && token.text === ',',
  );
  if (isWritten && values.length % 2 === 1) return found;
  throw configInvalid(at, `${key} takes words with commas between.`);
}

/** The words in small letters; undefined when something else is among them. */
function wordsOf(values: readonly Token[]): string[] | undefined {
  const found = values.flatMap((token) => (token.kind === 'word' ? [foldKeyword(token.text)] : []));
  return found.length === values.length ? found : undefined;
}
