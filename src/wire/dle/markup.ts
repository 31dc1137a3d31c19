import { AmandaError } from '../errors.js';
import { MAX_PAYLOAD } from '../frame.js';
import { decodeText, encodeText, printable } from '../text.js';

/** One element of the small part of XML that Amanda's requests are written in. */
export interface Element {
  readonly name: string;
  /** The text before the elements inside; mere blanks read as no text. */
  readonly text: string;
  readonly children: readonly Element[];
}

interface OpenElement {
  readonly name: string;
  readonly raw: string | undefined;
  readonly children: Element[];
  text: string;
}

const MAX_DEPTH = 8;
/** A selfcheck of 4,000 disks has about 80,000. */
const MAX_ELEMENTS = 200_000;
/** Characters; one REQ carries no more. */
const MAX_TEXT = MAX_PAYLOAD;
const elementName = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;

/**
 * Reads a sequence of elements with only blanks between them.
 *
 * Text is decoded from its entities, or from base64 if a `raw` attribute holds it. Comments,
 * declarations and other attributes are not supported. Errors with `BAD_DLE` for malformed markup
 * and over 8 levels, 200,000 elements or 4 MiB. Source: PROTOCOL.md, "Requests and replies".
 */
export function parseElements(source: string): Element[] {
  if (source.length > MAX_TEXT)
    throw badDle(`it has ${source.length} characters, over the ${MAX_TEXT} that are read`);
  const root: OpenElement = { name: '', raw: undefined, children: [], text: '' };
  const open: OpenElement[] = [root];
  const token = /<([^<>]*)>|[^<>]+|[<>]/g;
  let count = 0;
  for (const [piece, tag] of source.matchAll(token)) {
    const inside = open.at(-1) ?? root;
    if (tag === undefined) addText(inside, piece);
    else if (tag.startsWith('/')) close(open, tag.slice(1).trimEnd());
    else {
      if (++count > MAX_ELEMENTS) throw badDle(`it has more than ${MAX_ELEMENTS} elements`);
      if (open.length > MAX_DEPTH) throw badDle(`elements are nested more than ${MAX_DEPTH} deep`);
      const element = startOf(tag.replace(/\/$/, ''));
      open.push(element);
      if (tag.endsWith('/')) close(open, element.name);
    }
  }
  if (open.length > 1) throw badDle(`<${open.at(-1)?.name ?? ''}> is not closed`);
  return root.children;
}

/**
 * `<name>text</name>`. A text with a blank, quote, backslash, markup or anything beyond ASCII goes
 * into a `raw` attribute as base64 of its bytes. The element then has `_` for each such byte.
 *
 * Errors with `BAD_DLE` for a bad name and for a NUL. Source: PROTOCOL.md, "Requests and replies".
 */
export function formatLeaf(name: string, text: string): string {
  const { head, shown } = opening(name, text);
  return `${head}${shown}</${name}>`;
}

/** The lines of an element and of its children, each with its newline. */
export function formatElement({ name, text, children }: Element, indent: string): string {
  if (children.length === 0) return `${indent}${formatLeaf(name, text)}\n`;
  const { head, shown } = opening(name, text);
  return `${indent}${head}${shown}\n${children.map((child) => formatElement(child, `${indent}  `)).join('')}${indent}</${name}>\n`;
}

function opening(name: string, text: string): { readonly head: string; readonly shown: string } {
  if (!elementName.test(name)) throw badDle(`"${printable(name, 40)}" is no name of an element`);
  if (text.includes('\0')) throw badDle(`the text of <${name}> has a NUL in it`);
  const bytes = encodeText(text);
  if (!bytes.some(needsRaw)) return { head: `<${name}>`, shown: text };
  const shown = Array.from(bytes, (byte) =>
    needsRaw(byte) ? '_' : String.fromCharCode(byte),
  ).join('');
  return { head: `<${name} encoding="raw" raw="${toBase64(bytes)}">`, shown };
}

const rawCharacters: ReadonlySet<number> = new Set(encodeText('<>"&\\\''));

function needsRaw(byte: number): boolean {
  return byte <= 0x20 || byte > 0x7f || rawCharacters.has(byte);
}

function addText(element: OpenElement, piece: string): void {
  if (piece === '<' || piece === '>') throw badDle(`there is a lone "${piece}"`);
  if (piece.trim() === '') return;
  if (element.name === '')
    throw badDle(`there is text outside of any element: "${printable(piece, 40)}"`);
  if (element.children.length > 0) throw badDle(`<${element.name}> has text in two places`);
  // Amanda drops blanks at the end of a text, but writes some: <estimate>CLIENT </estimate>.
  let end = piece.length;
  while (piece[end - 1] === ' ') end--;
  element.text = decodeEntities(piece.slice(0, end));
}

function startOf(tag: string): OpenElement {
  const name = tag.replace(/\s[^]*/, '');
  if (!elementName.test(name)) throw badDle(`"<${printable(tag, 40)}>" is no tag`);
  const attributes = new Map<string, string>();
  const rest = tag.slice(name.length);
  let end = 0;
  const found = rest.matchAll(/\s+([A-Za-z]{1,20})="([^"]*)"/gy);
  for (const [whole, key, value] of found as Iterable<[string, string, string]>) {
    if ((key !== 'raw' && key !== 'encoding') || attributes.has(key))
      throw badDle(`<${name}> cannot have the attribute "${key}", or not twice`);
    attributes.set(key, value);
    end += whole.length;
  }
  if (rest.slice(end).trim() !== '') throw badDle(`the attributes of <${name}> cannot be read`);
  const raw = attributes.get('raw');
  return {
    name,
    raw: raw === undefined ? undefined : fromBase64(name, raw),
    children: [],
    text: '',
  };
}

function close(open: OpenElement[], name: string): void {
  const [element, parent] = [open.at(-1), open.at(-2)];
  if (element === undefined || parent === undefined || element.name !== name)
    throw badDle(`</${printable(name, 40)}> closes nothing`);
  open.pop();
  // Amanda takes `raw` only if there is text to replace, so an element of blanks stays empty.
  parent.children.push({
    name,
    text: element.text === '' ? '' : (element.raw ?? element.text),
    children: element.children,
  });
}

const entities: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

function decodeEntities(text: string): string {
  return text.replace(/&([^;&]{0,10});?/g, (whole, name: string) => {
    const number = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
    const code =
      number === null
        ? 0
        : Number.parseInt(number[1] ?? number[2] ?? '', number[1] === undefined ? 10 : 16);
    const isCharacter = code > 0 && code <= 0x10_ffff && !(code >= 0xd800 && code <= 0xdfff);
    const character = isCharacter ? String.fromCodePoint(code) : entities.get(name);
    if (character === undefined || !whole.endsWith(';'))
      throw badDle(`"${printable(whole, 20)}" stands for no character`);
    return character;
  });
}

function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

function fromBase64(name: string, base64: string): string {
  try {
    const text = decodeText(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
    if (!text.includes('\0')) return text;
  } catch {
    // The text is no base64.
  }
  throw badDle(`the raw attribute of <${name}> is not base64 of a text`);
}

export function badDle(why: string): AmandaError {
  return new AmandaError('BAD_DLE', `A DLE cannot be used, since ${why}.`);
}
