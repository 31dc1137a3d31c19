import { describe, expect, it } from 'vitest';
import { didYouMean } from '../../src/cli/terminal/suggest.js';

describe('a suggestion', () => {
  const known = ['noop', 'sendsize', 'sendbackup', 'selfcheck', 'amdump', 'amdumpd', '--timeout'];

  it.each([
    ['nop', ' Did you mean "noop"?'],
    ['onop', ' Did you mean "noop"?'],
    ['NOOP', ' Did you mean "noop"?'],
    ['amdmup', ' Did you mean "amdump"?'],
    ['amdumpx', ' Did you mean "amdump" or "amdumpd"?'],
    ['selfchek', ' Did you mean "selfcheck"?'],
    ['--timeot', ' Did you mean "--timeout"?'],
    // The beginning of a word, when nothing is as near.
    ['send', ' Did you mean "sendsize" or "sendbackup"?'],
    ['selfc', ' Did you mean "selfcheck"?'],
    ['backup', ''],
    ['x', ''],
    ['', ''],
    ['s'.repeat(1_000_000), ''],
  ])('for %j is %j', (word, suggestion) => {
    expect(didYouMean(word, known)).toBe(suggestion);
  });
});
