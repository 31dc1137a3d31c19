import { describe, expect, test } from 'vitest';
import {
  captionOf,
  depthOf,
  explanationsOf,
  tracksOf,
} from '../../src/diagram/layout/layout-caption.js';
import { layOut, startOf, xOf, type Medium } from '../../src/diagram/layout/layout.js';
import { firstLines, short, timeInWords, wrapped } from '../../src/diagram/layout/layout-words.js';
import { columnsOf, emsOf } from '../../src/diagram/text/text-width.js';
import { diagram, lane, late, value } from './diagrams.js';

/** One unit a step, and four for each marble, of which one is before its time. */
const medium: Medium = {
  width: 40,
  step: 1,
  margin: 1,
  extent: (_, events) => ({ before: 1, after: 4 * events.length - 1 }),
  breakWidth: () => 6,
};

describe('a layout', () => {
  test('has what is at one time in one column, and nothing over anything else', () => {
    const [row, ...more] = layOut(
      diagram(
        [
          lane('a', { events: [value(1, 'a'), value(2, 'b')] }),
          lane('b', { events: [value(2, 'c')] }),
        ],
        { length: 4 },
      ),
      medium,
      1,
    );
    expect(more).toEqual([]);
    expect(row?.groups.map(({ at, x }) => [at, x])).toEqual([
      [1, 1],
      [2, 6],
      [2, 6],
    ]);
    expect(row?.stops.map(({ at }) => at)).toEqual([0, 1, 2, 4]);
  });

  test('breaks the axis after all that was before when more than twelve steps are empty', () => {
    const [row] = layOut(
      diagram([lane('a', { events: [value(1, 'a'), value(14, 'b')] })], { length: 26 }),
      medium,
      1,
    );
    expect(row?.breaks).toEqual([{ x: 4, end: 10, milliseconds: 13 }]);
    expect(row?.groups.map(({ x }) => x)).toEqual([1, 11]);
    expect(row?.stops.at(-1)?.x).toBe(23);
  });

  test('counts steps in the fineness that it is given', () => {
    const slow = diagram([lane('a', { events: [value(1000, 'a'), value(3000, 'b')] })], {
      length: 4000,
    });
    expect(layOut(slow, medium, 1)[0]?.breaks).toHaveLength(3);
    expect(layOut(slow, medium, 500)[0]?.breaks).toEqual([]);
  });

  test('goes on in another row where there is no room, and says what is at its edge', () => {
    const rows = layOut(
      diagram([lane('a', { events: Array.from({ length: 12 }, (_, at) => value(at, 'a')) })], {
        length: 12,
      }),
      medium,
      1,
    );
    expect(rows.map(({ from, to }) => [from, to])).toEqual([
      [0, 7],
      [8, 12],
    ]);
    const [, second] = rows;
    expect(second && [xOf(second, 3), xOf(second, 8), xOf(second, 99)]).toEqual([
      0,
      1,
      second?.width,
    ]);
  });

  test('has a place for the begin of an empty lane, and breaks after it', () => {
    const late = lane('late', { from: 40, events: [value(60, 'b')] });
    const [row] = layOut(
      diagram([lane('a', { events: [value(0, 'a')] }), late], { length: 60 }),
      medium,
      1,
    );
    expect(row?.stops.map(({ at }) => at)).toEqual([0, 40, 60]);
    expect(row?.breaks.map(({ milliseconds }) => milliseconds)).toEqual([40, 20]);
    expect(row && [startOf(late, row), row.stops[1]?.x]).toEqual([
      row?.stops[1]?.x,
      row?.stops[1]?.x,
    ]);
  });

  test('leaves out what lies outside of the diagram', () => {
    const [row] = layOut(
      diagram([lane('a', { events: [value(-1, 'a'), value(99, 'b')] })]),
      medium,
      1,
    );
    expect(row?.groups).toEqual([]);
  });
});

describe('the words of a diagram', () => {
  test('leave out what a marble says itself', () => {
    expect(explanationsOf(late).map(({ event, label }) => [captionOf(event, late), label])).toEqual(
      [
        ['a', '"a"'],
        ['p', '"p"'],
        ['A', '"a"'],
        ['#', 'STALLED'],
      ],
    );
  });

  test('name errors that no symbol stands for', () => {
    const broken = diagram([lane('a', { events: [{ kind: 'error', at: 1, label: 'it broke' }] })]);
    expect(explanationsOf(broken).map(({ label }) => label)).toEqual(['it broke']);
  });

  test('have the size of a chunk and the front of a value where there is no symbol', () => {
    expect(captionOf({ kind: 'chunk', at: 0, bytes: 512, label: '512 bytes' }, late)).toBe('512');
    expect(captionOf({ kind: 'value', at: 0, label: 'a very long value' }, late)).toBe(
      'a very long…',
    );
  });

  test('give periods that overlap a line each', () => {
    const tracks = tracksOf(
      lane('a', {
        subscriptions: [
          { from: 4, to: 9 },
          { from: 1, to: 4 },
          { from: 5, to: undefined },
        ],
        spans: [{ kind: 'paused', label: 'paused', from: 0, to: 1 }],
      }),
    );
    expect(tracks.map(({ label, periods }) => [label, ...periods.map(({ from }) => from)])).toEqual(
      [
        ['subscribed', 1, 5],
        ['subscribed', 4],
        ['paused', 0],
      ],
    );
  });

  test('count how deep a lane lies, and end in a circle', () => {
    const lanes = [
      lane('a'),
      lane('b', { under: 'a' }),
      lane('c', { under: 'b' }),
      lane('d', { under: 'd' }),
    ];
    expect(lanes.map((one) => depthOf(one, lanes))).toEqual([0, 1, 2, 1]);
  });

  test('tell times as people do', () => {
    expect(
      [0, 0.25, 999, 999.6, 1_000, 9_999, 59_999.7, 60_000, 61_500, 3_660_000, 21_600_000].map(
        timeInWords,
      ),
    ).toEqual([
      '0 ms',
      '0.25 ms',
      '999 ms',
      '1 s',
      '1 s',
      '9.999 s',
      '1 min',
      '1 min',
      '1 min 1.5 s',
      '1 h 1 min',
      '6 h',
    ]);
  });

  test('are cut between characters and wrapped between words', () => {
    expect(short('🦊🦊🦊🦊', 3)).toBe('🦊🦊…');
    expect(wrapped('one two threefourfive', 8)).toEqual(['one two', 'threefou', 'rfive']);
  });

  test('are cut and wrapped by the room that they take', () => {
    expect(short('漢字かな', 5, columnsOf)).toBe('漢字…');
    expect(short('漢字かな', 8, columnsOf)).toBe('漢字かな');
    expect(wrapped('漢字 かな ab', 7, columnsOf)).toEqual(['漢字', 'かな ab']);
    expect(wrapped('漢字かな', 1, columnsOf)).toEqual(['漢', '字', 'か', 'な']);
    expect(firstLines('one two three', 2, 5)).toEqual(['one', 'two …']);
    expect(firstLines('one two', 2, 5)).toEqual(['one', 'two']);
  });

  test('take as many columns as a terminal gives them', () => {
    const texts = [
      'abc',
      'Größe',
      '漢字',
      'ｆｕｌｌ',
      '🦊',
      '👩‍👩‍👧‍👦',
      '🇩🇪',
      '❤️',
      'e\u0301',
      '\u200b',
      '한글',
      '→…×',
    ];
    expect(texts.map(columnsOf)).toEqual([3, 5, 4, 8, 2, 2, 2, 2, 1, 0, 4, 3]);
  });

  test('are wider in a picture when their letters are', () => {
    expect(emsOf('illi')).toBeLessThan(emsOf('shoe'));
    expect(emsOf('shoe')).toBeLessThan(emsOf('WOMB'));
    expect(emsOf('WOMB')).toBeLessThan(emsOf('漢字かな'));
    expect(emsOf('e\u0301')).toBe(emsOf('e'));
  });
});
