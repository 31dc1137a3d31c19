import { encodeText, printable } from '../../wire/text.js';
import { UsageError } from '../terminal/arguments.js';
import type { Override } from './collect.js';
import { ConfigLexer, type SourcePosition, type Token } from './lexer.js';
import { belongs, isKey, keyReaders, withValue, type Key } from './settings.js';
import { foldKeyword } from './statements.js';
import { quotedString, stringOrNumber } from './values.js';

/**
 * Reads `KEY=VALUE` or `DUMPTYPE:NAME:KEY=VALUE`, as `-o` of Amanda's programs takes it. `prefix`
 * precedes it in messages. Throws `UsageError`, and `CONFIG_INVALID` for a bad value.
 */
export function parseOverride(text: string, prefix = '--option '): Override {
  const [, dumptype, keyword = '', value = ''] =
    /^(?:dumptype:([^:=]+):)?([a-z][a-z0-9_-]*)=(.*)$/is.exec(text) ?? [];
  const key = foldKeyword(keyword);
  if (!isKey(key) || (dumptype !== undefined && !belongs(key, 'dumptype'))) {
    const keys = Object.keys(keyReaders)
      .filter((known) => dumptype === undefined || (isKey(known) && belongs(known, 'dumptype')))
      .join(' ');
    throw new UsageError(
      '--option takes KEY=VALUE or DUMPTYPE:NAME:KEY=VALUE, ' +
        `not "${printable(text)}"; keys${dumptype === undefined ? '' : ' of a dumptype'}: ${keys}.`,
    );
  }
  const at = { file: `${prefix}${text}` };
  const override = { key, value: valueTokens(key, value, at), at };
  withValue({}, key, override.value, at);
  return dumptype === undefined ? override : { ...override, dumptype: dumptype.toLowerCase() };
}

/** A string needs no quotes on the command line. */
function valueTokens(key: Key, value: string, at: SourcePosition): readonly Token[] {
  const reader: unknown = keyReaders[key];
  if (reader === quotedString || reader === stringOrNumber)
    return [{ kind: 'string', text: value, at }];
  const lexer = new ConfigLexer(Buffer.from(encodeText(value)).toString('latin1'), at.file);
  const tokens: Token[] = [];
  for (let token = lexer.next(); token.kind !== 'end'; token = lexer.next()) tokens.push(token);
  return tokens;
}
