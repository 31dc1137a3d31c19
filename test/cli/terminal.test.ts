import { describe, expect, test } from 'vitest';
import { terminalOf } from '../../src/cli/terminal/terminal.js';

describe('the width', () => {
  test.each([
    ['of a terminal is its own', {}, { isTTY: true, columns: 132 }, 132],
    [
      'of a terminal is not what COLUMNS says',
      { COLUMNS: '40' },
      { isTTY: true, columns: 132 },
      132,
    ],
    [
      'of a terminal that does not know is what COLUMNS says',
      { COLUMNS: '40' },
      { isTTY: true, columns: 0 },
      40,
    ],
    ['of a file is what COLUMNS says', { COLUMNS: '100' }, {}, 100],
    ['of a file is 80', {}, {}, 80],
    ['is not taken from nonsense', { COLUMNS: '-5' }, {}, 80],
    ['is bounded', { COLUMNS: '99999999' }, {}, 1_000],
  ])('%s', (_, env, stream, width) => {
    expect(terminalOf(env, stream).width).toBe(width);
  });
});

describe('colour', () => {
  test.each([
    ['is for terminals', { TERM: 'xterm' }, true, true],
    ['is not for files', { TERM: 'xterm' }, false, false],
    ['is not for a dumb terminal', { TERM: 'dumb' }, true, false],
    ['is not where NO_COLOR is set', { NO_COLOR: '1' }, true, false],
    ['is where NO_COLOR is empty', { NO_COLOR: '' }, true, true],
    ['can be forced into a file', { FORCE_COLOR: '1' }, false, true],
    ['can be forced against NO_COLOR', { FORCE_COLOR: '3', NO_COLOR: '1' }, false, true],
    ['can be forced off', { FORCE_COLOR: '0' }, true, false],
  ])('%s', (_, env, isTTY, color) => {
    expect(terminalOf(env, { isTTY }).color).toBe(color);
  });
});

describe('more than ASCII', () => {
  test.each([
    ['is there when LANG says UTF-8', { LANG: 'de_DE.UTF-8' }, true],
    ['is there when it is spelled utf8', { LC_CTYPE: 'C.utf8' }, true],
    ['is not there without a locale', {}, false],
    ['is not there when LC_ALL says otherwise', { LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, false],
    [
      'is decided by LC_CTYPE before LANG',
      { LC_CTYPE: 'de_DE.ISO-8859-1', LANG: 'de_DE.UTF-8' },
      false,
    ],
    [
      'is decided by LANG when the others are empty',
      { LC_ALL: '', LC_CTYPE: '', LANG: 'en_GB.UTF-8' },
      true,
    ],
  ])('%s', (_, env, unicode) => {
    expect(terminalOf(env, {}).unicode).toBe(unicode);
  });
});
