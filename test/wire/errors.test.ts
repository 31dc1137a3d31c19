import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { AmandaError, isAmandaError } from '../../src/wire/errors.js';

describe('AmandaError', () => {
  test('has a code, and what is known besides', () => {
    const cause = new Error('why');
    const error = new AmandaError('REFUSED', 'No.', { cause, peer: 'db1', handle: 3 });
    expect(error).toMatchObject({
      name: 'AmandaError',
      code: 'REFUSED',
      message: 'No.',
      cause,
      peer: 'db1',
      handle: 3,
    });
  });

  test.each([
    ['a message', (text: string) => new Error(text)],
    ['a text', (text: string) => text],
    ['a property', (text: string) => Object.assign(new Error('clean'), { hostname: text })],
    ['a cause of the cause', (text: string) => new Error('clean', { cause: new Error(text) })],
  ])('shows no character that a terminal obeys, from %s of its cause or its peer', (_, made) => {
    const raw = 'a\u001b[2J\u202e\u009bb\nc';
    const error = new AmandaError('REFUSED', raw, { cause: made(raw), peer: raw, advice: raw });
    const shown = inspect(error, { depth: 9 });
    expect(shown).not.toMatch(/[\u001b\u009b\u202e]|^c/mu);
    expect(shown).toContain('\\u202e');
    expect(error.peer).toBe('a\\x1b[2J\\u202e\\x9bb\\nc');
  });

  test('copies a cause with its class and its other properties', () => {
    const cause = Object.assign(new TypeError('a\u202eb'), { code: 'EWHY', count: 3 });
    const copy = new AmandaError('REFUSED', 'No.', { cause }).cause;
    expect(copy).toBeInstanceOf(TypeError);
    expect(copy).toMatchObject({ name: 'TypeError', message: 'a\\u202eb', code: 'EWHY', count: 3 });
    expect((copy as Error).stack).toMatch(/^TypeError: a\\u202eb\n {4}at /);
    expect(cause.message).toBe('a\u202eb');
  });

  test('ends at a cause that leads to itself', () => {
    const cause = new Error('a\u202eb');
    cause.cause = cause;
    expect(inspect(new AmandaError('REFUSED', 'No.', { cause }))).toContain('a\\u202eb');
  });

  test('has no cause where none is known', () => {
    const error = new AmandaError('REFUSED', 'No.');
    expect('cause' in error).toBe(false);
    expect([error.peer, error.handle]).toEqual([undefined, undefined]);
  });
});

test('isAmandaError tells our errors from others, and by their code', () => {
  const error = new AmandaError('REFUSED', 'No.');
  expect(isAmandaError(error)).toBe(true);
  expect(isAmandaError(error, 'REFUSED')).toBe(true);
  expect(isAmandaError(error, 'TRUNCATED')).toBe(false);
  expect(isAmandaError(new Error('No.'))).toBe(false);
  expect(isAmandaError({ code: 'REFUSED' }, 'REFUSED')).toBe(false);
  expect(isAmandaError(undefined)).toBe(false);
});
