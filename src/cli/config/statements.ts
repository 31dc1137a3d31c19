import { ConfigLexer, configInvalid, type SourcePosition, type Token } from './lexer.js';

/**
 * One line of a configuration: a key and its values, or a bare name. After `{` it includes the
 * lines up to `}`.
 */
export interface Statement {
  readonly at: SourcePosition;
  /** At least one: a word or a string. */
  readonly words: readonly [Token & { readonly kind: 'word' | 'string' }, ...Token[]];
  readonly body?: readonly Statement[];
}

/** The statements of a whole file. Errors with `CONFIG_INVALID`. */
export function parseStatements(text: string, file: string): readonly Statement[] {
  return readStatements(new ConfigLexer(text, file), [], 'end');
}

/**
 * The statements of a block, from the line after its `{` to its `}`. Errors with `CONFIG_INVALID`.
 */
export function parseBlock(lexer: ConfigLexer, opened: SourcePosition): readonly Statement[] {
  return readStatements(lexer, [opened], '}');
}

/** The deepest nesting of blocks. Amanda's own go two deep. */
const MOST_BLOCKS = 16;

/** `opened` holds the positions of the open blocks, innermost last. */
function readStatements(
  lexer: ConfigLexer,
  opened: readonly SourcePosition[],
  until: 'end' | '}',
): readonly Statement[] {
  const statements: Statement[] = [];
  for (;;) {
    const first = lexer.next();
    if (first.kind === 'newline') continue;
    if (first.kind === 'end' && until === 'end') return statements;
    if (first.kind === 'end')
      throw configInvalid(opened.at(-1) ?? first.at, 'the { of this block has no }.');
    if (first.kind === 'mark' && first.text === '}' && until === '}') return statements;
    if (first.kind !== 'word' && first.kind !== 'string')
      throw configInvalid(first.at, 'a line begins with a keyword or a name.');
    statements.push(readStatement(lexer, first, opened));
  }
}

function readStatement(
  lexer: ConfigLexer,
  first: Statement['words'][0],
  opened: readonly SourcePosition[],
): Statement {
  const words: [typeof first, ...Token[]] = [first];
  for (;;) {
    const token = lexer.next();
    if (token.kind === 'newline' || token.kind === 'end') return { at: first.at, words };
    if (token.kind === 'mark' && token.text === '}')
      throw configInvalid(token.at, 'a } stands on a line of its own.');
    if (token.kind !== 'mark' || token.text !== '{') words.push(token);
    else {
      if (opened.length === MOST_BLOCKS)
        throw configInvalid(token.at, `more than ${MOST_BLOCKS} blocks lie in each other.`);
      endLine(lexer, 'a { is the last word of its line.');
      const body = readStatements(lexer, [...opened, token.at], '}');
      endLine(lexer, 'a } stands on a line of its own.');
      return { at: first.at, words, body };
    }
  }
}

function endLine(lexer: ConfigLexer, otherwise: string): void {
  const { kind, at } = lexer.next();
  if (kind !== 'newline' && kind !== 'end') throw configInvalid(at, otherwise);
}

/** A keyword in the spelling for comparisons: lower case, `-` for `_`. */
export function foldKeyword(text: string): string {
  return text.toLowerCase().replaceAll('_', '-');
}
