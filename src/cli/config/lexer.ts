import { AmandaError } from '../../wire/errors.js';
import { decodeText, printable } from '../../wire/text.js';

/** A file and a line, counted from 1. Without a line, `file` is a command-line argument. */
export interface SourcePosition {
  readonly file: string;
  readonly line?: number;
}

/** A token of a configuration line. */
export type Token = { readonly at: SourcePosition } & (
  | { readonly kind: 'word'; readonly text: string }
  /** A string, without its double quotes. */
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  /** `{`, `}`, `,` or any other single character. */
  | { readonly kind: 'mark'; readonly text: string }
  | { readonly kind: 'newline' }
  | { readonly kind: 'end' }
);

/** A `CONFIG_INVALID` error with its position. */
export function configInvalid(at: SourcePosition, message: string): AmandaError {
  return new AmandaError('CONFIG_INVALID', `${positionText(at)}: ${message}`);
}

/** A position in words: `/etc/amanda/amanda-client.conf line 3`. */
export function positionText({ file, line }: SourcePosition): string {
  return line === undefined ? printable(file) : `${printable(file)} line ${line}`;
}

/**
 * Splits the text of an Amanda configuration into tokens, one a call.
 *
 * The text has one character for each byte (latin1), because a string may spell bytes in octal. The
 * resulting strings are UTF-8. Errors with `CONFIG_INVALID` for an unterminated string.
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

  /** Where the next token starts. */
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

  /** A string may contain a line end after a backslash only. */
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

/**
 * Resolves the escapes of a string: `\n \t \r \f`, up to three octal digits, and any other escaped
 * character as itself.
 */
export function unescapeString(quoted: string): string {
  const plain = quoted.replace(/\\([0-7]{1,3}|[^]?)|"/g, (_, escaped: string | undefined) => {
    if (escaped === undefined) return '';
    if (/^[0-7]/.test(escaped))
      return String.fromCharCode(Number.parseInt(escaped, 8) & 0xff).replace('\0', '');
    return controls.get(escaped) ?? escaped;
  });
  return decodeText(Buffer.from(plain, 'latin1'));
}

const controls: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['f', '\f'],
]);
