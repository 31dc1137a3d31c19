import { dirname, resolve } from 'node:path';
import { readRegularFile } from '../../access/regular-file.js';
import { AmandaError } from '../../wire/errors.js';
import { codeOf, fileFailed } from '../terminal/file-errors.js';
import { configInvalid, type SourcePosition } from './lexer.js';
import { foldKeyword, parseStatements, type Statement } from './statements.js';

/** The most bytes of one file. The largest real ones have some 10,000 lines. */
const MOST_BYTES = 1024 * 1024;

/** The most files of one configuration, included ones too. */
const MOST_FILES = 200;

/** The deepest nesting of included files. */
const MOST_DEPTH = 16;

/**
 * Reads the files of one configuration, within bounds. The texts have one character for each byte.
 */
export class ConfigFiles {
  #count = 0;

  /** The text of a file; undefined when there is none. Errors with `FILE_FAILED`. */
  read(path: string): string | undefined {
    this.#count += 1;
    if (this.#count > MOST_FILES)
      throw new AmandaError(
        'FILE_FAILED',
        `Cannot read ${path}: this configuration has over ${MOST_FILES} files.`,
      );
    try {
      return readRegularFile(path, MOST_BYTES).bytes.toString('latin1');
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT') return undefined;
      throw fileFailed('read', path, cause);
    }
  }

  /**
   * The statements of a file and of the files that it includes by `includefile "NAME"`. Undefined
   * when there is no such file. Errors, now or while iterating, with `CONFIG_INVALID` and
   * `FILE_FAILED`.
   *
   * Included files are looked for in the folder of the first file.
   */
  statements(path: string): Iterable<Statement> | undefined {
    const text = this.read(path);
    return text === undefined ? undefined : this.#included(parseStatements(text, path), [path]);
  }

  /** The text and path of an included file. `parents` are the including files, outermost first. */
  include(
    name: string,
    at: SourcePosition,
    parents: readonly string[],
  ): { readonly text: string; readonly path: string } {
    const path = resolve(dirname(parents[0] ?? '.'), name);
    if (parents.includes(path)) throw configInvalid(at, `${path} includes itself.`);
    if (parents.length === MOST_DEPTH)
      throw configInvalid(at, `files include each other more than ${MOST_DEPTH} deep.`);
    const text = this.read(path);
    if (text === undefined) throw configInvalid(at, `there is no file ${path}.`);
    return { text, path };
  }

  *#included(statements: readonly Statement[], parents: readonly string[]): Generator<Statement> {
    for (const statement of statements) {
      const [first, name, ...rest] = statement.words;
      if (first.kind !== 'word' || foldKeyword(first.text) !== 'includefile') {
        yield statement;
        continue;
      }
      if (name?.kind !== 'string' || rest.length > 0 || statement.body !== undefined)
        throw configInvalid(statement.at, 'includefile takes one name in double quotes.');
      const { text, path } = this.include(name.text, statement.at, parents);
      yield* this.#included(parseStatements(text, path), [...parents, path]);
    }
  }
}
