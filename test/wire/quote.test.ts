import { describe, expect, test } from 'vitest';
import { quote, quotedWords, unquote } from '../../src/wire/quote.js';

describe('quote', () => {
  test.each([
    ['', '""'],
    ['a', 'a'],
    ['~!x', '~!x'],
    ['a b', '"a b"'],
    ['a\tb\nc\rd\fe', '"a\\tb\\nc\\rd\\fe"'],
    ['C:', '"C:"'],
    ["it's", '"it\'s"'],
    ['"\\', '"\\"\\\\"'],
    ['hä', '"hä"'],
    ['\u0001', '"\u0001"'],
  ])('writes %j', (name, quoted) => {
    expect(quote(name)).toBe(quoted);
    expect(unquote(quoted)).toBe(name);
  });
});

describe('unquote', () => {
  test.each([
    ['a\\', 'a'],
    ['a\\q', 'aq'],
    ['a\\\nb', 'a\nb'],
    ['\\303\\244\\101x', 'äAx'],
    ['\\1\\12\\1234', '\u0001\nS4'],
    ['\\501', 'A'],
    ['a\\0b\\400c', 'abc'],
    ['\\8\\9', '89'],
  ])('reads %j', (quoted, name) => {
    expect(unquote(quoted)).toBe(name);
  });
});

describe('quotedWords', () => {
  test.each([
    ['', []],
    ['  ', []],
    [' a  b ', ['a', 'b']],
    ['a\tb', ['a\tb']],
    ['"a b" c', ['"a b"', 'c']],
    ['x"a b"y c', ['x"a b"y', 'c']],
    ['"a\\" b" c', ['"a\\" b"', 'c']],
    ['a\\ b c', ['a\\ b', 'c']],
    ['a\\', ['a\\']],
    ['"a b', ['"a b']],
    ['"a b\\', ['"a b\\']],
    ['"a\nb" c\\\nd', ['"a\nb"', 'c\\\nd']],
    ['""', ['""']],
    ['"\\x y" z', ['"\\x y"', 'z']],
  ])('splits %j', (line, words) => {
    expect(quotedWords(line)).toEqual(words);
  });
});
