import { TestScheduler } from 'rxjs/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  duration,
  marblesLength,
  readMarbles,
  readPeriods,
  writeMarbles,
} from '../../src/diagram/page/notation.js';
import { readPicture } from '../../src/diagram/page/picture.js';

describe('reading marbles', () => {
  test('a character is a millisecond, blanks are none', () => {
    expect(readMarbles('-a b-|')).toEqual([
      { at: 1, symbol: 'a' },
      { at: 2, symbol: 'b' },
      { at: 4, symbol: '|' },
    ]);
    expect(marblesLength('-a b-|')).toBe(5);
  });

  test('a group happens at its opening bracket and takes its width', () => {
    expect(readMarbles('-(ab)c')).toEqual([
      { at: 1, symbol: 'a' },
      { at: 1, symbol: 'b' },
      { at: 5, symbol: 'c' },
    ]);
  });

  test('a time with blanks around it is silence', () => {
    expect(readMarbles('a 1m 2s 3ms #')).toEqual([
      { at: 0, symbol: 'a' },
      { at: 62_004, symbol: '#' },
    ]);
    expect(marblesLength('30s')).toBe(30_000);
  });

  test('digits without a unit are symbols', () => {
    expect(readMarbles('-1 2')).toEqual([
      { at: 1, symbol: '1' },
      { at: 2, symbol: '2' },
    ]);
  });

  test('it reads what the TestScheduler reads', () => {
    const token = fc.constantFrom(
      '-',
      '--',
      'a',
      '1',
      '(ab)',
      '(a|)',
      ' 3ms ',
      ' 2s ',
      ' 1m ',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const marbles = `${tokens.join('')} `;
        expect(readMarbles(marbles).map(({ at }) => at)).toEqual(framesOf(marbles));
      }),
    );
  });

  test('periods are drawn with ^ and !', () => {
    expect(readPeriods('--^--!-^')).toEqual([
      { from: 2, to: 5 },
      { from: 7, to: undefined },
    ]);
    expect(readPeriods('---')).toEqual([]);
    expect(() => readPeriods('--!')).toThrow('^ and !');
  });
});

describe('writing marbles', () => {
  test('what happens at the same time stands in the same column', () => {
    const rows = [
      { label: 'in', ticks: readMarbles('a-b|') },
      { label: 'outside', ticks: readMarbles('-(cd)') },
    ];
    expect(writeMarbles(rows, 6)).toEqual(['in       a-b|', 'outside  -(cd)-']);
  });

  test('a long silence of all rows is written as a time', () => {
    const rows = [
      { label: 'a', ticks: readMarbles('a 10s b') },
      { label: 'b', ticks: readMarbles('- 9s |') },
    ];
    expect(writeMarbles(rows, 10_002)).toEqual(['a  a 9s - 999ms b', 'b  - 9s |']);
  });

  test('what marbles cannot say is written with its time', () => {
    const ticks = [
      { at: 0, symbol: 'a' },
      { at: 0, symbol: 'b' },
      { at: 2, symbol: 'c' },
    ];
    expect(writeMarbles([{ label: 'a', ticks }], 5)).toEqual(['a  (ab)@2msc-']);
  });

  test('what is written reads the same', () => {
    const ticks = fc
      .uniqueArray(fc.nat(200_000), { maxLength: 8 })
      .map((times) => times.sort((a, b) => a - b).map((at) => ({ at, symbol: 'x' })));
    fc.assert(
      fc.property(fc.array(ticks, { minLength: 1, maxLength: 3 }), (rows) => {
        const lines = writeMarbles(
          rows.map((row) => ({ label: 'row', ticks: row })),
          200_001,
        );
        expect(lines.map((line) => readMarbles(line.slice('row'.length)))).toEqual(rows);
      }),
    );
  });

  test('a duration has at most three parts', () => {
    expect([0, 999, 60_000, 3_723_004].map(duration)).toEqual(['0ms', '999ms', '1m', '62m 3s 4ms']);
  });
});

describe('a picture', () => {
  test('has a label and marbles on each line', () => {
    const picture = `
      target                  --A
      target ^                ^
      target waiting for ACK  ^-!
      target paused           ^ 9s !
      other stalled           ^--
    `;
    expect(readPicture(picture)).toEqual([
      { lane: 'target', shows: 'events', label: '', marbles: '--A' },
      { lane: 'target', shows: 'subscription', label: '^', marbles: '^' },
      { lane: 'target', shows: 'waiting', label: 'waiting for ACK', marbles: '^-!' },
      { lane: 'target', shows: 'paused', label: 'paused', marbles: '^ 9s !' },
      { lane: 'other', shows: 'stalled', label: 'stalled', marbles: '^--' },
    ]);
  });

  test('does not take a line that it cannot read', () => {
    expect(() => readPicture('target')).toThrow('no label and marbles');
    expect(() => readPicture('target sleeping  ---')).toThrow('sleeping');
  });
});

function framesOf(marbles: string): readonly number[] {
  return new TestScheduler(() => undefined).run(() =>
    TestScheduler.parseMarbles(marbles, undefined, undefined, false, true).map(
      ({ frame }) => frame,
    ),
  );
}
