import { describe, expect, test } from 'vitest';
import { toSvg } from '../../src/diagram/index.js';
import { diagram, exchange, lane, late, value } from './diagrams.js';
import { all, parseXml, type Node } from './xml.js';

describe('a diagram as SVG', () => {
  test('is an image with a name and a description that says what happens', () => {
    const svg = parseXml(toSvg(late));
    expect(svg.attributes).toMatchObject({
      role: 'img',
      'aria-labelledby': 'late-title',
      'aria-describedby': 'late-desc',
    });
    expect(
      svg.children.slice(0, 2).map(({ name, attributes, text }) => [name, attributes['id'], text]),
    ).toEqual([
      ['title', 'late-title', 'Late'],
      [
        'desc',
        'late-desc',
        [
          'Stream 7 is read late.',
          'wire (connection, arriving): at 1 ms 7: "a"; at 2 ms 8: "p"; at 4 ms 7: close; paused from 2 ms to 1 min 4 ms; stalled from 1 min 4 ms on.',
          'seven (stream 7, arriving, under wire): at 1 min 6 ms "a"; at 1 min 6 ms complete; subscribed from 1 min 6 ms on.',
          'eight (stream 8, arriving, under wire): at 1 min 6 ms error STALLED.',
          'It ends at 1 min 10 ms.',
        ].join('\n'),
      ],
    ]);
  });

  test('has its lanes from top to bottom, streams indented under their connection', () => {
    const names = ['wire', 'seven', 'eight'].map((name) => textOf(toSvg(late), name));
    const heights = names.map(({ y }) => y);
    expect(heights).toEqual(heights.toSorted((a, b) => a - b));
    expect(names.map(({ x }) => x)).toEqual([20, 38, 38]);
  });

  test('says in words and by patterns what lasts', () => {
    const svg = toSvg(late);
    const nodes = all(parseXml(svg));
    for (const kind of ['paused', 'stalled']) {
      textOf(svg, kind);
      expect(
        nodes.find(
          ({ name, attributes }) => name === 'pattern' && attributes['id'] === `late-${kind}`,
        ),
      ).toBeDefined();
      expect(
        nodes.filter(({ attributes }) => attributes['fill'] === `url(#late-${kind})`),
      ).toHaveLength(2);
    }
    const [open] = nodes.filter(({ attributes }) => attributes['class'] === 'bar stalled');
    const [closed] = nodes.filter(({ attributes }) => attributes['class'] === 'bar paused');
    expect([open, closed].map((bar) => bar?.attributes['d']?.match(/v12/g)?.length)).toEqual([
      1, 2,
    ]);
  });

  test('shows a subscription from ^ to !', () => {
    const drawn = toSvg(diagram([lane('user', { subscriptions: [{ from: 2, to: 6 }] })]));
    expect(textOf(drawn, '^').x).toBeLessThan(textOf(drawn, '!').x);
    expect(textOf(drawn, 'subscribed').x).toBe(20);
  });

  test('points at the lane with what arrives, and away from it with what leaves', () => {
    const marbles = all(parseXml(toSvg(exchange))).filter(
      ({ name, text }) => name === 'g' && ['REQ', 'REP', 'ACK', 'close'].includes(text),
    );
    const wedges = marbles.map(({ text, children, attributes }) => {
      const wedge = children.find((child) => child.attributes['class'] === 'wedge')?.attributes[
        'd'
      ];
      return `${text} ${wedge === undefined ? 'plain' : wedge.endsWith('l-4 5z') ? 'down' : 'up'}${attributes['class']?.includes('out') === true ? ' out' : ''}`;
    });
    expect(wedges.slice(0, 5)).toEqual([
      'ACK down',
      'REP down',
      'REQ up out',
      'ACK up out',
      'close up out',
    ]);
    expect(wedges.slice(5)).toEqual(['REP plain', 'REQ plain']);
  });

  test('puts the handle of a frame into its header', () => {
    const frames = all(parseXml(toSvg(late))).filter(
      ({ name, attributes }) => name === 'g' && /^h\d/.test(attributes['class'] ?? ''),
    );
    expect(frames.slice(0, 3).map(({ text, attributes }) => [text, attributes['class']])).toEqual([
      ['7a', 'h1'],
      ['8p', 'h2'],
      ['7close', 'h1'],
    ]);
  });

  test('has what happens at one time in one column', () => {
    const marbles = all(parseXml(toSvg(late))).filter(
      ({ name, attributes }) => name === 'path' && attributes['class'] === 'error',
    );
    const cross = Number(/^M([\d.]+)/.exec(marbles[0]?.attributes['d'] ?? '')?.[1]) + 7;
    expect(cross).toBeCloseTo(textOf(toSvg(late), 'A').x, 0);
  });

  test('breaks the axis where nothing happens for long, and says how long', () => {
    textOf(toSvg(late), '1 min');
    expect(classes(late).filter((name) => name === 'torn')).toHaveLength(1);
    expect(classes(exchange)).not.toContain('torn');
  });

  test('explains what does not say itself', () => {
    const texts = all(parseXml(toSvg(exchange))).flatMap(({ name, text }) =>
      name === 'text' ? [text] : [],
    );
    expect(texts.slice(-4)).toEqual(['REP', '"OPTIONS ;\\n"', 'REQ', '"SERVICE noop\\n"']);
  });

  test('tells packets of one type apart', () => {
    const packet = (at: number, symbol: string, label: string) => ({
      kind: 'packet' as const,
      type: 'REQ' as const,
      bytes: 1,
      at,
      symbol,
      label,
    });
    const two = diagram(
      [lane('in', { events: [packet(1, 'a', 'REQ "one"'), packet(3, 'b', 'REQ "two"')] })],
      {
        legend: [
          { symbol: 'a', label: 'REQ "one"' },
          { symbol: 'b', label: 'REQ "two"' },
        ],
      },
    );
    textOf(toSvg(two), 'REQ:a');
    textOf(toSvg(two), 'REQ:b');
  });

  test('goes on in further rows', () => {
    const long = diagram(
      [lane('user', { events: Array.from({ length: 100 }, (_, index) => value(index, 'a')) })],
      { length: 100 },
    );
    const nodes = all(parseXml(toSvg(long)));
    expect(
      nodes.filter(({ name, text }) => name === 'text' && text === 'user').length,
    ).toBeGreaterThan(3);
    expect(
      Math.max(
        ...nodes.flatMap(({ attributes: { x = '0', width = '0' } }) => [Number(x) + Number(width)]),
      ),
    ).toBeLessThanOrEqual(800);
  });

  test('says when a further row begins after a break', () => {
    const timesWith = (before: number): readonly (string | undefined)[] => {
      const events = [
        ...Array.from({ length: before }, (_, index) => value(index, 'a')),
        value(5_000, 'c'),
      ];
      const nodes = all(parseXml(toSvg(diagram([lane('user', { events })], { length: 5_010 }))));
      return nodes.flatMap(({ name, text }) =>
        name === 'text' && /^[\d.]+ m?s$/.test(text) ? [text] : [],
      );
    };
    // The layout decides how many fill a row; with one more, the break begins the next row.
    const times = Array.from({ length: 40 }, (_, more) => timesWith(20 + more));
    expect(times.some((shown) => shown.includes('5 s'))).toBe(true);
    expect(times.some((shown) => !shown.includes('5 s'))).toBe(true);
  });

  test.each([400, 800, 1600])('has a view box of its %i pixels, and nothing beyond it', (width) => {
    for (const one of [late, exchange]) {
      const svg = parseXml(toSvg(one, { width }));
      expect(svg.attributes['viewBox']).toBe(`0 0 ${width} ${svg.attributes['height'] ?? ''}`);
      for (const { name, attributes } of all(svg)) {
        if (name === 'rect')
          expect(Number(attributes['x']) + Number(attributes['width'])).toBeLessThanOrEqual(width);
        if (name === 'rect' || name === 'text')
          expect(Number(attributes['y'])).toBeLessThan(Number(svg.attributes['height']));
      }
    }
  });

  test('has colours for light and dark, and asks for nothing from elsewhere', () => {
    const svg = toSvg(late);
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(
      /https?:|@import|<script|<image|href/,
    );
  });

  test('is the same bytes for the same diagram', () => {
    expect(toSvg(structuredClone(late))).toBe(toSvg(late));
  });
});

describe('hostile texts', () => {
  const evil =
    '</text></style><script>alert(1)</script>"\' onload="x" ]]>&amp;&\u0000\u001b\u202e\ud800\uffff';

  test('stay texts wherever they stand', () => {
    const hostile = diagram(
      [
        lane(evil, {
          events: [
            value(1, 'x', evil),
            value(2, undefined, evil),
            { kind: 'error', at: 3, code: evil, label: evil },
          ],
        }),
        lane('below', { under: evil, spans: [{ kind: 'waiting', label: evil, from: 1, to: 2 }] }),
      ],
      { title: evil, sentence: evil, legend: [{ symbol: 'x', label: evil }] },
    );
    const svg = toSvg(hostile, { id: evil });
    const nodes = all(parseXml(svg));
    expect(new Set(nodes.map(({ name }) => name))).toEqual(
      new Set(['svg', 'title', 'desc', 'style', 'defs', 'pattern', 'rect', 'path', 'text', 'g']),
    );
    expect(
      nodes
        .flatMap(({ attributes }) => Object.keys(attributes))
        .filter((name) => name.startsWith('on')),
    ).toEqual([]);
    expect(nodes.find(({ name }) => name === 'title')?.text).toBe(
      evil.replace(/[\u0000\u001b\u202e\ud800\uffff]/g, '\ufffd'),
    );
    for (const { attributes } of nodes) expect(attributes['id'] ?? 'none').toMatch(/^[a-z0-9-]+$/);
  });

  test('of any length make a picture that ends', () => {
    const label = 'x'.repeat(1_000_000);
    const svg = toSvg(
      diagram([lane(label, { events: [value(1, 'x', label)] })], {
        title: label,
        sentence: label,
        legend: [{ symbol: 'x', label }],
      }),
    );
    const widest = Math.max(
      ...all(parseXml(svg)).flatMap(({ name, text }) => (name === 'text' ? [text.length] : [])),
    );
    expect(widest).toBeLessThan(200);
  });

  test('cannot make a lane lie under itself', () => {
    const circle = diagram([lane('a', { under: 'b' }), lane('b', { under: 'a' })]);
    expect(() => parseXml(toSvg(circle))).not.toThrow();
  });
});

interface Placed {
  readonly x: number;
  readonly y: number;
}

function textOf(svg: string, text: string): Placed {
  const node: Node | undefined = all(parseXml(svg)).find(
    (one) => one.name === 'text' && one.text === text,
  );
  if (node === undefined) throw new Error(`nothing says ${text}`);
  return { x: Number(node.attributes['x']), y: Number(node.attributes['y']) };
}

function classes(one: typeof late): readonly (string | undefined)[] {
  return all(parseXml(toSvg(one))).map(({ attributes }) => attributes['class']);
}
