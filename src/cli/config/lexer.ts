import { AmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';

/** Where something stands: a file's name and the line in it, from 1; without a line, a word of the command line. */
export interface SourcePosition {
  readonly file: string;
  readonly line?: number;
}

/** What a line of a configuration is made of. */
export type Token = { readonly at: SourcePosition } & (
  | { readonly kind: 'word'; readonly text: string }
  /** What was in double quotes, without them. */
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  /** `{`, `}`, `,` or a character that begins nothing else. */
  | { readonly kind: 'mark'; readonly text: string }
  | { readonly kind: 'newline' }
  | { readonly kind: 'end' }
);

/** The error of something that cannot be meant, with the place: `CONFIG_INVALID`. */
export function configInvalid(at: SourcePosition, message: string): AmandaError {
  return new AmandaError('CONFIG_INVALID', `${positionText(at)}: ${message}`);
}

/** A place as a person reads it: `/etc/amanda/amanda-client.conf line 3`. */
export function positionText({ file, line }: SourcePosition): string {
  return line === undefined ? printable(file) : `${printable(file)} line ${line}`;
}

/**
 * Takes the text of an Amanda configuration apart, one token a call.
 *
 * The text has one character for each byte (latin1), since a string may spell bytes in octal; the strings that come out are UTF-8.
 * Errors with `CONFIG_INVALID` for a string without an end.
 */
export class ConfigLexer {
  readonly #text: string;
  readonly #file: string;
  #offset: number;
  #line: number;

  constructor(text: string, file: string, { offset = 0, line = 1 } = {}) {
    this.#text = text;
    this.#file = file;
    this.#offset = offset;
    this.#line = line;
  }

  /** Where the next token is looked for. */
  get position(): { readonly offset: number; readonly line: number } {
    return { offset: this.#offset, line: this.#line };
  }

  next(): Token {
    this.#take(/[ \t\r\v\f]*(?:#[^\n]*)?/y);
    const at = { file: this.#file, line: this.#line };
    const character = this.#text[this.#offset];
    if (character === undefined) return { kind: 'end', at };
    if (character === '"') return { kind: 'string', text: this.#string(at), at };
    const word = this.#take(/[A-Za-z][A-Za-z0-9_-]*/y);
    if (word !== '') return { kind: 'word', text: word, at };
    const number = this.#take(/-?\d+(?:\.\d*)?/y);
    if (number !== '') return { kind: 'number', value: Number(number), at };
    this.#offset += 1;
    if (character !== '\n') return { kind: 'mark', text: character, at };
    this.#line += 1;
    return { kind: 'newline', at };
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#offset;
    const [found = ''] = pattern.exec(this.#text) ?? [];
    this.#offset += found.length;
    return found;
  }

  /** A line may end inside a string only behind a backslash, and stays in it. */
  #string(at: SourcePosition): string {
    for (let end = this.#offset + 1; end < this.#text.length; end += 1) {
      const character = this.#text[end];
      if (character === '"') {
        const quoted = this.#text.slice(this.#offset + 1, end);
        this.#offset = end + 1;
        this.#line += quoted.split('\n').length - 1;
        return unescapeString(quoted);
      }
      if (character === '\n') break;
      if (character === '\\') end += 1;
    }
    throw configInvalid(at, 'a string has no closing quote.');
  }
}

/** What a text in quotes stands for: `\n \t \r \f`, up to three octal digits, and any other character behind a backslash as itself. */
export function unescapeString(quoted: string): string {
  const plain = quoted.replace(/\\([0-7]{1,3}|[^]?)|"/g, (_, escaped: string | undefined) => {
    if (escaped === undefined) return '';
    if (/^[0-7]/.test(escaped))
      return String.fromCharCode(Number.parseInt(escaped, 8) & 0xff).replace('\0', '');
    return controls.get(escaped) ?? escaped;
  });
  return Buffer.from(plain, 'latin1').toString();
}

const controls: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['f', '\f'],
]);
