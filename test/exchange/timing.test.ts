import { expect, test } from 'vitest';
import { defaultTiming, timingWith } from '../../src/exchange/timing.js';

test('what is undefined keeps its default', () => {
  expect(timingWith({ ackTimeout: undefined, replyTimeout: 1 })).toEqual({
    ...defaultTiming,
    replyTimeout: 1,
  });
});

test('other options are none of its business', () => {
  expect(timingWith({ maxHandles: 3 } as object)).toEqual(defaultTiming);
});

test.each([
  ['replyTimeout', Infinity],
  ['idleTimeout', 2 ** 31],
  ['ackTimeout', -1],
  ['serviceTimeout', Number.NaN],
  ['connectTries', 0],
  ['requestTries', 1.5],
])('%s of %d is refused: a timer would ring at once, or never', (name, value) => {
  expect(() => timingWith({ [name]: value })).toThrow(
    expect.objectContaining({
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining(name) as string,
    }),
  );
});
