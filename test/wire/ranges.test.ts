import { describe, expect, test } from 'vitest';
import { inRange, withDefaultsIn, withoutUndefined } from '../../src/wire/ranges.js';

describe('inRange', () => {
  test.each([1, 2, 3])('is the number %d within 1 to 3', (value) => {
    expect(inRange('times', value, 1, 3)).toBe(value);
  });

  test.each([0, 4, 1.5, Number.NaN, Infinity, '2', null])('refuses %j', (value) => {
    expect(() => inRange('times', value as number, 1, 3)).toThrow(
      expect.objectContaining({
        code: 'BAD_ARGUMENT',
        message: `times must be a whole number from 1 to 3, not ${value === '2' ? '"2"' : value}.`,
      }),
    );
  });

  test('errors with the given code', () => {
    expect(() => inRange('times', 0, 1, 3, 'BAD_DLE')).toThrow(
      expect.objectContaining({ code: 'BAD_DLE' }),
    );
  });
});

describe('withDefaultsIn', () => {
  const defaults = { times: 1, word: 'a' };
  const ranges = { times: [1, 3] } as const;

  test('takes what is given, and the default for what is undefined', () => {
    const options: Partial<typeof defaults> = { times: 2, ...{ word: undefined } };
    expect(withDefaultsIn(options, defaults, ranges)).toEqual({ times: 2, word: 'a' });
    expect(withDefaultsIn({ word: 'b' }, defaults, ranges)).toEqual({ times: 1, word: 'b' });
    expect(defaults).toEqual({ times: 1, word: 'a' });
  });

  test('leaves out what has no default', () => {
    const more = { times: 2, novelty: true };
    expect(withDefaultsIn(more, defaults, ranges)).toEqual({ times: 2, word: 'a' });
  });

  test('refuses a number out of its range', () => {
    expect(() => withDefaultsIn({ times: 4 }, defaults, ranges)).toThrow(
      expect.objectContaining({
        message: 'The option times must be a whole number from 1 to 3, not 4.',
      }),
    );
  });
});

describe('withoutUndefined', () => {
  test('keeps every other value', () => {
    const all = { a: 0, b: '', c: false, d: undefined };
    expect(withoutUndefined(all)).toStrictEqual({ a: 0, b: '', c: false });
  });
});
