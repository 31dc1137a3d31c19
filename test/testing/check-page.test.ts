import { NEVER, delay, map, of, take, timer, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { request } from '../../src/exchange/request.js';
import { AmandaError } from '../../src/wire/errors.js';
import {
  checkPage,
  handleLane,
  mark,
  page,
  pageConnection,
  pageDiagram,
  type PageScope,
  runPage,
  streamLane,
  userLane,
} from '../../src/testing/index.js';

type Given = { readonly bytes: Observable<Uint8Array> };

/** A page about an operator that gives the length of each chunk, two milliseconds later. */
function lengths(
  picture: string,
  wire: (given: Given, scope: PageScope) => { readonly sizes: Observable<number> } = ({
    bytes,
  }) => ({
    sizes: bytes.pipe(
      map(({ length }) => length),
      delay(2),
    ),
  }),
) {
  return page({
    title: 'Lengths',
    about: 'lengths',
    sentence: 'The length of each chunk comes two milliseconds later.',
    picture,
    legend: {
      a: mark.chunk('abc'),
      b: mark.chunk('de'),
      3: mark.value(3),
      '#': mark.failure('TRUNCATED'),
    },
    given: { bytes: streamLane(7, 'in', { under: 'wire' }) },
    expected: { sizes: userLane<number>() },
    wire,
  });
}

describe('checkPage', () => {
  test('says nothing when all happens as drawn', () => {
    expect(checkPage(lengths('bytes    -a--|\n bytes ^  ^---!\n sizes    ---3|'))).toBe('');
  });

  test('shows the actual below the expected, aligned, and explains what the legend does not know', () => {
    expect(checkPage(lengths('bytes  -a-b-- 9s |\n sizes  ---3')).split('\n')).toEqual([
      '"Lengths" does not happen as drawn:',
      '',
      'bytes, given     -a-b-- 9s |',
      'sizes, expected  ---3-- 9s -',
      'sizes, actual    ---3-? 9s |',
      '',
      '3 = 3',
      'a = "abc"',
      'b = "de"',
      '# = TRUNCATED',
      '? on sizes at 5ms: value 2',
    ]);
  });

  test('lists what comes after the end of the picture', () => {
    const slow = lengths('bytes  -a-b|\n sizes  --3', ({ bytes }) => ({
      sizes: bytes.pipe(
        map(({ length }) => length),
        delay(30_000),
      ),
    }));
    expect(checkPage(slow).split('\n').slice(-5)).toEqual([
      '',
      'after the end of the picture:',
      '  sizes at 30s 1ms: value 3',
      '  sizes at 30s 3ms: value 2',
      '  sizes at 30s 3ms: complete',
    ]);
  });

  test('lists what the page asks for, and no more than 20 lines of it', () => {
    const listing = (picture: string) =>
      lengths(picture, ({ bytes }, scope) => {
        scope.list('ticks', timer(0, 1).pipe(take(25)));
        return { sizes: bytes.pipe(map(({ length }) => length)) };
      });
    expect(checkPage(listing('bytes  -a\n sizes  -'))).toMatch(
      /\n\nticks:\n {2}0ms: value 0\n {2}1ms: value 1$/,
    );
    expect(checkPage(listing('bytes  -a 30ms -\n sizes  -'))).toMatch(
      / {2}19ms: value 19\n {2}… and 6 more$/,
    );
    expect(checkPage(listing('bytes  -a\n sizes  -3'))).toBe('');
  });

  test('says that a given lane is never subscribed', () => {
    const deaf = lengths('bytes  -a\n sizes  -3', () => ({ sizes: NEVER }));
    expect(checkPage(deaf)).toContain('\nbytes is never subscribed');
  });

  test('lists the frames that a connection sent on handles that no lane shows', () => {
    const elsewhere = page({
      title: 'Asking',
      about: 'request',
      sentence: 'The request leaves.',
      picture: 'target     -\n initiator  Q\n',
      legend: { Q: mark.packet('REQ', 'SERVICE noop\nOPTIONS ;\n') },
      given: { target: handleLane(1, 'in') },
      expected: { initiator: handleLane(7, 'out') },
      wire: ({ target }, scope) => {
        const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
        scope.ends.add(peer.send(7, target));
        scope.ends.add(
          of(connection)
            .pipe(request('noop'))
            .subscribe({ error: () => undefined }),
        );
        return { initiator: peer.received(7) };
      },
    });
    expect(checkPage(elsewhere)).toMatch(/\nsent:\n {2}0ms: value \{ handle: 1, payload: /);
  });

  test('holds the subscriptions of given lanes against the picture', () => {
    expect(checkPage(lengths('bytes    -a--------\n bytes ^  ^--!\n sizes    ---3'))).toContain(
      'bytes ^, expected  ^--!\nbytes ^, actual    ^---------',
    );
    expect(checkPage(lengths('bytes    -a-\n bytes ^  -\n sizes    -'))).toContain(
      'bytes ^, actual    ^--',
    );
  });

  test('subscribes expected lanes as drawn', () => {
    expect(
      checkPage(lengths('bytes    -a-\n bytes ^  --^--!\n sizes    -----\n sizes ^  --^--!')),
    ).toBe('');
    expect(checkPage(lengths('bytes    -a-\n bytes ^  -\n sizes    -----\n sizes ^  -'))).toBe('');
  });

  test('knows an error by its code only', () => {
    const fails = (code: 'TRUNCATED' | 'STALLED') =>
      lengths('bytes  -a\n sizes  -#', ({ bytes }) => ({
        sizes: bytes.pipe(
          map((): number => {
            throw new AmandaError(code, 'whatever');
          }),
        ),
      }));
    expect(checkPage(fails('TRUNCATED'))).toBe('');
    expect(checkPage(fails('STALLED'))).toContain('? on sizes at 1ms: error STALLED: whatever');
  });

  test('holds measured spans against the picture, drawn or not', () => {
    const measured = (picture: string) =>
      lengths(picture, (given, scope) => {
        scope.measure('paused', given.bytes.pipe(map(({ length }) => length === 3)));
        return {
          sizes: given.bytes.pipe(
            map(({ length }) => length),
            delay(2),
          ),
        };
      });
    expect(
      checkPage(measured('bytes         -a-b\n bytes paused  -^-!\n sizes         ---3')),
    ).toBe('');
    expect(checkPage(measured('bytes  -a-b\n sizes  ---3'))).toContain('paused, actual    -^-!');
  });

  test('a wait begins and ends where something happens', () => {
    expect(
      checkPage(
        lengths('bytes              -a--\n sizes waiting for it  -^-!\n sizes              ---3'),
      ),
    ).toBe('');
    expect(
      checkPage(
        lengths('bytes              -a--\n sizes waiting for it  ^--!\n sizes              ---3'),
      ),
    ).toContain('begins or ends at 0ms, when nothing happens');
  });
});

describe('timers', () => {
  test('that are left behind are a fault of the page', () => {
    const leaking = ({ bytes }: Given) => ({
      sizes: bytes.pipe(map(({ length }) => (timer(1_000).subscribe(), length))),
    });
    expect(checkPage(lengths('bytes  -a\n sizes  -3', leaking))).toContain(
      '1 timers are still set',
    );
    expect(checkPage(lengths('bytes  -a 1s -\n sizes  -3', leaking))).toBe('');
  });
});

describe('a page', () => {
  test('draws every lane once', () => {
    expect(() => lengths('bytes  -a')).toThrow('the lane sizes is drawn 0 times');
    expect(() => lengths('bytes  -a\n bytes  -a\n sizes  -')).toThrow(
      'the lane bytes is drawn 2 times',
    );
  });

  test('draws no lane that it does not have', () => {
    expect(() => lengths('bytes  -a\n sizes  -\n others  -')).toThrow('a lane others');
  });

  test('draws no symbol that its legend does not have', () => {
    expect(() => lengths('bytes  -z\n sizes  -')).toThrow('the legend does not say what z is');
    expect(() => lengths('bytes  -a\n sizes  -7')).toThrow('the legend does not say what 7 is');
  });

  test('ends where its longest line does, with everything unsubscribed', () => {
    const run = runPage(lengths('bytes  -a 10s -\n sizes  --'));
    expect(run.lanes.get('sizes')).toEqual([{ at: 3, kind: 'value', value: 3 }]);
    expect(run.subscriptions.get('bytes')).toEqual([{ from: 0, to: undefined }]);
  });
});

describe('the diagram of a page', () => {
  test('has all that is drawn', () => {
    const diagram = pageDiagram(
      lengths(
        'bytes                 -a--|\n bytes ^               ^---!\n sizes                 ---3|\n sizes waiting for it  -^-!',
      ),
    );
    const abc = new TextEncoder().encode('abc');
    expect(diagram).toEqual({
      title: 'Lengths',
      sentence: 'The length of each chunk comes two milliseconds later.',
      length: 5,
      legend: [
        { symbol: '3', label: '3' },
        { symbol: 'a', label: '"abc"' },
      ],
      lanes: [
        {
          name: 'bytes',
          kind: 'stream',
          direction: 'in',
          handle: 7,
          under: 'wire',
          events: [
            { kind: 'chunk', bytes: 3, preview: abc, at: 1, symbol: 'a', label: '"abc"' },
            { kind: 'complete', at: 4, label: 'complete' },
          ],
          spans: [],
          subscriptions: [{ from: 0, to: 4 }],
        },
        {
          name: 'sizes',
          kind: 'user',
          direction: undefined,
          handle: undefined,
          under: undefined,
          events: [
            { kind: 'value', at: 3, symbol: '3', label: '3' },
            { kind: 'complete', at: 4, label: 'complete' },
          ],
          spans: [{ kind: 'waiting', label: 'waiting for it', from: 1, to: 3 }],
          subscriptions: [],
        },
      ],
    });
  });

  test('plays a cold lane for each of its subscriptions, as far as that lasts', () => {
    const diagram = pageDiagram(lengths('bytes    -a-b\n bytes ^  -^-!-^\n sizes    -'));
    expect(diagram.lanes[0]?.events.map(({ at, symbol }) => [at, symbol])).toEqual([
      [2, 'a'],
      [6, 'a'],
      [8, 'b'],
    ]);
  });
});
