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
