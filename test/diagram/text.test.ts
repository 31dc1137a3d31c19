import { describe, expect, test } from 'vitest';
import { toText } from '../../src/diagram/index.js';
import { columnsOf } from '../../src/diagram/text/text-width.js';
import { diagram, exchange, lane, late, value } from './diagrams.js';

describe('a diagram as text', () => {
  test('has its lanes one below the other, streams under their connection, in 80 columns', () => {
    expect(toText(late).split('\n')).toEqual([
      'Late',
      'Stream 7 is read late.',
      '',
      '                                    1 min',
      'wire     connection ↓  ═ap═7:close═┄┄┄┄┄┄┄═══════',
      'paused                   ├▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒┤',
      'stalled                                   ├██████',
      '└ seven  stream 7 ↓    ────────────┄┄┄┄┄┄┄──(A|)',
      '  subscribed                                ^────',
      '└ eight  stream 8 ↓    ────────────┄┄┄┄┄┄┄──✕',
      '',
      'a "a"   p "p"   A "a"   ✕ STALLED',
    ]);
  });

  test('leaves out what lanes are in 40 columns', () => {
    expect(toText(late, { width: 40 }).split('\n').slice(3, 10)).toEqual([
      '                           1 min',
      'wire     ↓    ═ap═7:close═┄┄┄┄┄┄┄═══════',
      'paused          ├▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒┤',
      'stalled                          ├██████',
      '└ seven  ↓    ────────────┄┄┄┄┄┄┄──(A|)',
      '  subscribed                       ^────',
      '└ eight  ↓    ────────────┄┄┄┄┄┄┄──✕',
    ]);
  });

  test('is made of ASCII alone where there is nothing else', () => {
    expect(toText(late, { unicode: false }).split('\n').slice(3)).toEqual([
      '                                     1 min',
      'wire     connection in  =ap=7:close=.......=======',
      'paused                    [////////////////]',
      'stalled                                    [xxxxxx',
      '  seven  stream 7 in    ------------.......--(A|)',
      '  subscribed                                 ^----',
      '  eight  stream 8 in    ------------.......--#',
      '',
      'a "a"   p "p"   A "a"   # STALLED',
    ]);
    expect(toText(exchange, { unicode: false, width: 40 }).split('\n').slice(3)).toEqual([
      'target     in    -ACK-REP---------',
      'initiator  out   REQ--(ACK close)-',
      'waiting for ACK  []',
      '',
      'REP "OPTIONS ;\\n"   REQ "SERVICE noop\\n"',
    ]);
    const foreign = diagram([lane('größe', { events: [value(1, undefined, '漢字')] })], {
      title: 'Größe…',
    });
    expect(toText(foreign, { unicode: false })).toMatch(/^[\n -~]*$/);
  });

  test('names packets and puts what happens together into parentheses', () => {
    expect(toText(exchange).split('\n').slice(3)).toEqual([
      'target     handle 1 ↓  ─ACK─REP─────────',
      'initiator  handle 1 ↑  REQ──(ACK close)─',
      'waiting for ACK        ├┤',
      '',
      'REP "OPTIONS ;\\n"   REQ "SERVICE noop\\n"',
    ]);
  });

  test('goes on in further rows, which say when they begin', () => {
    const long = diagram(
      [
        lane('user', {
          events: [value(1, 'a'), value(11, 'b'), value(12, '|', 'x'), value(20, 'c')],
        }),
      ],
      { length: 24 },
    );
    expect(toText(long, { width: 20 }).split('\n').slice(4)).toEqual([
      'user    ╌a╌╌╌╌╌╌╌╌╌b',
      '',
      '        12 ms',
      'user    |╌╌╌╌╌╌╌c╌╌╌',
    ]);
  });

  test('says when a further row begins after a break, too', () => {
    const events = [...[1, 11, 21, 31].map((at) => value(at, 'a')), value(500, 'c')];
    const lines = toText(diagram([lane('user', { events })], { length: 510 }), { width: 40 }).split(
      '\n',
    );
    expect(lines.slice(-2)).toEqual(['         469 ms 500 ms', 'user    ┄┄┄┄┄┄┄┄c╌╌╌╌╌╌╌╌╌']);
  });

  test.each([20, 40, 80, 120])('is nowhere wider than its %i columns', (width) => {
    const events = Array.from({ length: 300 }, (_, index) =>
      value(Math.floor(index / 7) * 3, undefined, `value ${index}`),
    );
    const crowded = diagram([lane('a lane with a very long name', { events })], {
      length: 200,
      sentence: 'x'.repeat(300),
    });
    for (const unicode of [true, false]) {
      for (const one of [crowded, late, exchange]) {
        const widest = Math.max(
          ...toText(one, { width, unicode })
            .split('\n')
            .map((line) => line.length),
        );
        expect(widest).toBeLessThanOrEqual(width);
      }
    }
  });

  test('counts what of a moment has no room', () => {
    const burst = diagram([
      lane('user', { events: Array.from({ length: 1000 }, () => value(5, 'a')) }),
    ]);
    expect(toText(burst, { width: 40 }).split('\n').slice(3)).toEqual([
      'user    ╌╌╌╌╌(a a a a a a a a +991 a)╌',
    ]);
  });

  test('has colours only when asked, and is the same text without them', () => {
    expect(toText(late)).not.toContain('\u001b');
    const coloured = toText(late, { color: true });
    expect(coloured).toContain('\u001b[36ma\u001b[0m\u001b[33mp\u001b[0m');
    expect(coloured.replace(/\u001b\[[0-9;]*m/g, '')).toBe(toText(late));
  });

  test('lets no text of a diagram write control characters to the terminal', () => {
    const evil = '\u001b]0;owned\u0007\u009b31m\r\u202e';
    const hostile = diagram(
      [
        lane(`lane ${evil}`, {
          events: [value(1, undefined, evil), { kind: 'error', at: 2, label: evil }],
        }),
      ],
      {
        title: evil,
        sentence: evil,
        legend: [{ symbol: 'a', label: evil }],
      },
    );
    for (const unicode of [true, false])
      expect(toText(hostile, { unicode })).not.toMatch(
        /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/,
      );
  });

  test('is short when nothing happens', () => {
    expect(toText(diagram([], { length: 0 }))).toBe('A title\nWhat there is to see.');
  });

  test('puts letters of two columns, and marks of none, where a terminal shows them', () => {
    const names = ['漢字のレーン', 'plain'];
    const foreign = diagram(
      names.map((name) =>
        lane(name, {
          events: [value(1, '漢'), value(2, '👩'), value(5, 'e\u0301'), value(6, 'b')],
        }),
      ),
      {
        title: '漢字かな交じり文の標題',
        sentence: '宽'.repeat(50),
        legend: [{ symbol: '漢', label: '字'.repeat(30) }],
      },
    );
    const [first = '', second = ''] = toText(foreign, { width: 60 })
      .split('\n')
      .filter((line) => line.includes('user'));
    expect([first, second].map((line) => columnsOf(line.slice(0, line.indexOf('b'))))).toEqual([
      27, 27,
    ]);
    expect(first).toContain('漢👩');
    for (const width of [20, 33, 40, 81])
      expect(
        Math.max(...toText(foreign, { width }).split('\n').map(columnsOf)),
      ).toBeLessThanOrEqual(width);
  });
});
