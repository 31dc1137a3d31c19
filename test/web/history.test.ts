import { describe, expect, it } from 'vitest';
import { TapHistory, type HistoryLimits } from '../../src/cli/web/history.js';
import type { PageMessage } from '../../src/cli/web/page-messages.js';
import { FakeTap } from './fake-tap.js';

function remembered(limits: HistoryLimits = {}): {
  readonly tap: FakeTap;
  readonly history: TapHistory;
} {
  const tap = new FakeTap();
  const history = new TapHistory(limits);
  tap.changes.subscribe((change) => history.take(change));
  return { tap, history };
}

/** A connection with one lane and a number of events. */
function talk(tap: FakeTap, connection: number, events: number): void {
  tap.open(connection);
  tap.lane(connection, 'c');
  for (let at = 0; at < events; at += 1)
    tap.event(connection, 'c', { kind: 'value', at, label: 'said' });
}

function stateOf(message: PageMessage) {
  if (message.kind !== 'state') throw new Error(`This is no state: ${message.kind}.`);
  return message.connections;
}

describe('the history of a tap', () => {
  it('hands out every step once, however few are asked for at a time', () => {
    const { tap, history } = remembered();
    talk(tap, 1, 50);
    talk(tap, 2, 50);
    const steps: PageMessage[] = [];
    let known = 0;
    for (let batches = 0; known < history.last && batches < 100; batches += 1) {
      const { messages, last } = history.since(known, 7);
      expect(messages.length).toBeLessThanOrEqual(7);
      steps.push(...messages);
      known = last;
    }
    expect(steps).toHaveLength(2 * 52);
    expect(steps.slice(0, 3).map(({ kind }) => kind)).toEqual(['opened', 'lane', 'event']);
    expect(history.since(known, 7).messages).toEqual([]);
  });

  it('lets go of the oldest steps of the longest conversation, and counts them; the quiet one stays whole', () => {
    const { tap, history } = remembered({ steps: 100 });
    talk(tap, 1, 10);
    talk(tap, 2, 1_000);
    const [quiet, busy] = stateOf(history.state(true));
    expect(quiet?.totals).toMatchObject({ events: 10, dropped: 0 });
    expect(busy?.totals.events).toBe(1_000);
    const kept = history.since(0, 10_000).messages.filter(({ kind }) => kind === 'event');
    expect(kept.length).toBeLessThanOrEqual(100);
    expect(kept.length + (busy?.totals.dropped ?? 0)).toBe(1_010);
    expect(history.hasLostSince(0)).toBe(true);
    expect(history.hasLostSince(history.last)).toBe(false);
  });

  it('forgets closed connections before open ones, and says so', () => {
    const { tap, history } = remembered({ connections: 2 });
    talk(tap, 1, 1);
    talk(tap, 2, 1);
    tap.close(2);
    const before = history.last;
    talk(tap, 3, 1);
    expect(stateOf(history.state(true)).map(({ id }) => id)).toEqual([1, 3]);
    expect(history.since(before, 100).messages).toContainEqual({
      kind: 'forgotten',
      connection: 2,
    });
    talk(tap, 4, 1);
    expect(stateOf(history.state(true)).map(({ id }) => id)).toEqual([3, 4]);
  });

  it('keeps so many lanes of a connection, and counts what happens on others', () => {
    const { tap, history } = remembered({ lanes: 2 });
    tap.open(1);
    for (const name of ['a', 'b', 'c']) {
      tap.lane(1, name);
      tap.event(1, name, { kind: 'value', at: 0, label: 'said' });
    }
    const [connection] = stateOf(history.state(true));
    expect(connection?.lanes.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(connection?.totals).toMatchObject({ events: 3, dropped: 1 });
  });

  it('knows the open spans, and reports an end with its beginning', () => {
    const { tap, history } = remembered();
    talk(tap, 1, 0);
    tap.change(1, {
      kind: 'span',
      lane: 'c',
      span: { kind: 'paused', label: 'paused', from: 5, to: undefined },
    });
    expect(stateOf(history.state(true))[0]?.open).toEqual([
      { lane: 0, span: { span: 'paused', label: 'paused', from: 5 } },
    ]);
    const before = history.last;
    tap.change(1, { kind: 'span-end', lane: 'c', span: 'paused', at: 9 });
    expect(stateOf(history.state(true))[0]?.open).toEqual([]);
    expect(history.since(before, 9).messages).toEqual([
      {
        kind: 'span',
        connection: 1,
        lane: 0,
        span: { span: 'paused', label: 'paused', from: 5, to: 9 },
      },
    ]);
  });

  it('counts bytes each way, by the event where the lane goes both ways, and names the services asked for', () => {
    const { tap, history } = remembered();
    tap.replay(1, 'selfcheck.1');
    const [connection] = stateOf(history.state(true));
    expect(connection?.totals).toMatchObject({ services: ['noop', 'selfcheck'], dropped: 0 });
    // The recording's own list of frames has these sizes.
    expect([connection?.totals.out, connection?.totals.in]).toEqual([979, 8_861]);
  });

  it('draws a part of a conversation, with times from its beginning on', () => {
    const { tap, history } = remembered();
    talk(tap, 1, 100);
    tap.change(1, {
      kind: 'span',
      lane: 'c',
      span: { kind: 'waiting', label: 'waiting', from: 10, to: undefined },
    });
    tap.change(1, { kind: 'span-end', lane: 'c', span: 'waiting', at: 30 });
    const lane = history.diagram(1, { from: 20, to: 40 })?.lanes[0];
    expect(lane?.events.map(({ at }) => at)).toEqual(Array.from({ length: 21 }, (_, at) => at));
    expect(lane?.spans).toEqual([{ kind: 'waiting', label: 'waiting', from: 0, to: 10 }]);
    expect(history.diagram(2, { from: 0, to: 1 })).toBeUndefined();
  });
});
