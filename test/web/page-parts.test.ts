import { describe, expect, it } from 'vitest';
import { payloadBytes, payloadHex, payloadText, visible } from '../../src/cli/web/page/payload.js';
import { RateMeter } from '../../src/cli/web/page/rate-meter.js';
import { acrossFrom, nearest, stepped } from '../../src/cli/web/page/selection.js';
import { Store, type LaneView } from '../../src/cli/web/page/store.js';
import {
  fitted,
  followingView,
  moved,
  scrolled,
  showing,
  ticks,
  zoomed,
} from '../../src/cli/web/page/timeline.js';
import { parts } from './page-bundle.js';

describe('a payload on the page', () => {
  it('is text whose control characters can be seen', () => {
    expect(payloadText(new Uint8Array(Buffer.from('a\tb\n\0\u001b[31m\u007f')))).toBe(
      'a\tb\n\\x00\\x1b[31m\\x7f',
    );
    expect(visible('\u202egnp\u2028\u0085')).toBe('\\u202egnp\\u2028\\x85');
    expect(payloadText(new Uint8Array([0xff, 0x41]))).toBe('\ufffdA');
  });

  it('is hexadecimal, the last line as far as it goes', () => {
    expect(payloadHex(payloadBytes('AAECAwQFBgcICQoLDA0OD0E='))).toBe(
      '0000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  ................\n0010  41                                                A',
    );
    expect(payloadHex(new Uint8Array())).toBe('');
  });
});

describe('the rate of a connection', () => {
  it('is the mean of the last two seconds, and falls to nothing after them', () => {
    const meter = new RateMeter();
    meter.count(0, 0, 0);
    for (let at = 100; at <= 4_000; at += 100) meter.count(at, at, 2 * at);
    expect(meter.rate(4_000)).toEqual({ in: 1_000, out: 2_000 });
    expect(meter.rate(5_000)).toEqual({ in: 500, out: 1_000 });
    expect(meter.rate(7_000)).toEqual({ in: 0, out: 0 });
  });

  it('does not take for a rate what was there before it was looked at', () => {
    const meter = new RateMeter();
    meter.count(0, 1e9, 1e9);
    expect(meter.rate(100)).toEqual({ in: 0, out: 0 });
  });
});

describe('the time in sight', () => {
  it('goes with the present, and not before the beginning', () => {
    expect(moved(followingView, 1_000).from).toBe(0);
    expect(moved(followingView, 20_000).from).toBeCloseTo(10_400);
    expect(moved(scrolled(followingView, 0.1), 20_000).from).toBe(1_000);
  });

  it('zooms around a point that stays', () => {
    const view = { from: 1_000, span: 1_000, follows: false };
    expect(zoomed(view, 0.5, 0.5)).toEqual({ from: 1_250, span: 500, follows: false });
    expect(zoomed(view, 1e-9, 0).span).toBe(1);
    expect(zoomed({ ...view, from: 0 }, 2, 1).from).toBe(0);
  });

  it('fits a whole conversation, and shows a time that was asked for', () => {
    const view = fitted(1_000, 2_000);
    expect(view.from).toBeLessThan(1_000);
    expect(view.from + view.span).toBeGreaterThan(2_000);
    expect(showing(view, 1_500)).toBe(view);
    expect(showing(view, 9_000).from).toBeCloseTo(9_000 - view.span / 2);
  });

  it('is named at round times', () => {
    expect(ticks({ from: 0, span: 10_000, follows: false }, 5)).toEqual([
      0, 2_000, 4_000, 6_000, 8_000, 10_000,
    ]);
    expect(ticks({ from: 0.15, span: 1, follows: false }, 4)).toEqual([0.5, 1]);
    expect(ticks({ from: 0, span: 7_200_000, follows: false }, 4)).toEqual([
      0, 1_800_000, 3_600_000, 5_400_000, 7_200_000,
    ]);
  });
});

describe('choosing an event', () => {
  const lane = (index: number, ...times: readonly number[]): LaneView => ({
    facts: { index, name: 'lane', kind: 'stream' },
    events: times.map((at) => ({ at, kind: 'chunk', label: String(at) })),
    spans: [],
  });

  it('takes the nearest one within present, a packet before a chunk', () => {
    const one = lane(0, 10, 20, 30);
    expect(nearest(one, 22, 5)?.at).toBe(20);
    expect(nearest(one, 25.1, 20)?.at).toBe(30);
    expect(nearest(one, 40, 5)).toBeUndefined();
    one.events.splice(2, 0, { at: 21, kind: 'packet', label: 'REQ' });
    expect(nearest(one, 20, 5)?.kind).toBe('packet');
  });

  it('goes along a lane, and across to the one with something at that time', () => {
    const lanes = [lane(0, 10, 20), lane(1), lane(2, 5, 19, 100)];
    const event = lanes[0]?.events[1];
    if (event === undefined || lanes[0] === undefined) throw new Error('There is such an event.');
    expect(stepped(lanes[0], event, -1)?.at).toBe(10);
    expect(stepped(lanes[0], event, 1)).toBeUndefined();
    expect(acrossFrom(lanes, { lane: 0, event }, 1)).toMatchObject({ lane: 2, event: { at: 19 } });
    expect(acrossFrom(lanes, { lane: 0, event }, -1)).toBeUndefined();
  });
});

describe('what the page knows', () => {
  const opened = { kind: 'opened', connection: { id: 1, at: 0, peer: 'a', target: 'b' } } as const;

  it('stays bounded, whatever comes', () => {
    const store = new Store();
    store.take(opened, 0);
    store.take(
      { kind: 'lane', connection: 1, lane: { index: 0, name: 'c', kind: 'connection' } },
      0,
    );
    for (let at = 0; at < 100_000; at += 1)
      store.take(
        { kind: 'event', connection: 1, lane: 0, event: { at, kind: 'chunk', label: '' } },
        0,
      );
    for (let at = 0; at < 10_000; at += 1)
      store.take(
        {
          kind: 'span',
          connection: 1,
          lane: 0,
          span: { span: 'paused', label: '', from: at, to: at + 1 },
        },
        0,
      );
    const [lane] = store.connections.get(1)?.lanes ?? [];
    expect(lane?.events.length).toBeLessThanOrEqual(60_000);
    expect(lane?.events.at(-1)?.at).toBe(99_999);
    expect(lane?.spans.length).toBeLessThanOrEqual(2_000);
  });

  it('is not changed by a repeated message, and starts again on a fresh state', () => {
    const store = new Store();
    const span = { span: 'paused', label: 'paused', from: 1 } as const;
    for (let times = 0; times < 2; times += 1) {
      store.take(opened, 0);
      store.take(
        { kind: 'lane', connection: 1, lane: { index: 0, name: 'c', kind: 'connection' } },
        0,
      );
      store.take(
        {
          kind: 'span',
          connection: 1,
          lane: 0,
          span: { ...span, ...(times === 0 ? {} : { to: 4 }) },
        },
        0,
      );
    }
    expect(store.connections.get(1)?.lanes).toMatchObject([{ spans: [{ from: 1, to: 4 }] }]);
    expect(store.connections.get(1)?.lanes[0]?.spans).toHaveLength(1);
    store.take({ kind: 'state', fresh: true, connections: [] }, 0);
    expect(store.connections.size).toBe(0);
  });

  it('takes for the present what the clock of the server says, until the connection or the tap is over', () => {
    const store = new Store();
    store.take({ ...opened, connection: { ...opened.connection, at: 50_000 } }, 0);
    const view = store.connections.get(1);
    if (view === undefined) throw new Error('It was opened.');
    store.take({ kind: 'totals', now: 50_100, connections: [] }, 1_000);
    expect(store.present(view, 1_900)).toBe(1_000);
    store.take(
      { kind: 'closed', connection: 1, closed: { at: 50_500, how: 'ended', reason: '' } },
      0,
    );
    expect(store.present(view, 9_000)).toBe(500);
  });
});

describe('the script of the page', () => {
  it('holds all that it imports, so that it needs nothing from elsewhere', () => {
    expect(parts.script).not.toMatch(/\b(?:import|export|require)\b/);
    expect(parts.script).toContain('The page lacks its');
  });
});
