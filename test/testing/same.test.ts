import { describe, expect, test } from 'vitest';
import { same, show } from '../../src/testing/same.js';
import { AmandaError } from '../../src/wire/errors.js';

describe('same', () => {
  test.each([
    [1, 1, true],
    ['a', 'b', false],
    [undefined, null, false],
    [Uint8Array.of(1, 2), Buffer.of(1, 2), true],
    [Uint8Array.of(1, 2), Uint8Array.of(1), false],
    [Uint8Array.of(1), [1], false],
    [{ handle: 1, payload: Uint8Array.of(1) }, { payload: Buffer.of(1), handle: 1 }, true],
    [{ a: 1 }, { a: 1, b: undefined }, false],
    [[1, [2]], [1, [2]], true],
    [new AmandaError('STALLED', 'one'), new AmandaError('STALLED', 'other'), true],
    [new AmandaError('STALLED', 'one'), new AmandaError('TRUNCATED', 'one'), false],
    [new Error('a'), new Error('a'), true],
    [new Error('a'), {}, false],
  ])('%o and %o: %s', (a, b, expected) => {
    expect(same(a, b)).toBe(expected);
    expect(same(b, a)).toBe(expected);
  });

  test('values are shown in a few words', () => {
    expect(show({ handle: 1, payload: Buffer.from('a\n') })).toBe('{ handle: 1, payload: "a\\n" }');
    expect(show(new Uint8Array(100))).toMatch(/^100 bytes "/);
    expect(show([1, new AmandaError('STALLED', 'why')])).toBe('[1, STALLED: why]');
    expect(show(new TypeError('why'))).toBe('TypeError: why');
  });
});
