import { NEVER, concat, lastValueFrom, of, toArray, type Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import type { Connection } from '../../src/connection/connection.js';
import type { Change } from '../../src/diagram/model.js';
import { Recording } from '../../src/diagram/recording.js';
import { record, recordConnection, toDiagram } from '../../src/diagram/record.js';
import { ScriptedPeer } from '../../src/testing/index.js';

function connected(): Connection {
  return new TcpmConnection(
    new ScriptedPeer().channel,
    { side: 'initiator', user: undefined },
    { gather: false },
  );
}

/** A source that stays open after its connection. */
function staying(connection: Connection): Observable<Connection> {
  return concat(of(connection), NEVER);
}

/** What an operator's observer gets, and the connections that pass. */
function recorded(connections: Observable<Connection>) {
  let now = 1_000;
  const changes: Change[] = [];
  const ends: string[] = [];
  const passed: Connection[] = [];
  const subscription = connections
    .pipe(
      record(
        { next: (change) => changes.push(change), complete: () => ends.push('complete') },
        { name: 'wire', now: () => (now += 1) },
      ),
    )
    .subscribe({
      next: (connection) => passed.push(connection),
      error: (error: unknown) => ends.push(`error ${String(error)}`),
    });
  return { subscription, changes, ends, passed };
}

describe('record', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('passes connections on as they are, and gives each a lane of its own', () => {
    const [first, second] = [connected(), connected()];
    const { passed, changes } = recorded(of(first, second));
    expect(passed).toEqual([first, second]);
    expect(changes.flatMap((change) => (change.kind === 'lane' ? [change.lane.name] : []))).toEqual(
      ['wire', 'wire 2'],
    );
  });

  test('takes a recording as its observer, and so does what emits changes', () => {
    const [recording, again] = [new Recording(), new Recording()];
    of(connected()).pipe(record(recording)).subscribe();
    expect(recording.diagram().lanes.map(({ name }) => name)).toEqual(['connection']);
    recordConnection(connected()).subscribe(again);
    expect(again.diagram().lanes.map(({ name }) => name)).toEqual(['connection']);
  });

  test('counts time from its subscription on', () => {
    const { changes } = recorded(of(connected()));
    expect(changes[0]).toMatchObject({ kind: 'lane', at: 1 });
  });

  test('tells what is sent, with its direction', () => {
    const connection = connected();
    const { changes } = recorded(staying(connection));
    connection.stream(499_999).next(Uint8Array.of(1, 2, 3));
    vi.advanceTimersByTime(10);
    expect(changes.at(-1)).toMatchObject({
      kind: 'event',
      lane: 'wire/handle 499999',
      event: { kind: 'chunk', bytes: 3, preview: Uint8Array.of(1, 2, 3) },
    });
    expect(changes.at(-2)).toMatchObject({ kind: 'lane', lane: { direction: 'out' } });
  });

  test('joins what a millisecond brings on a stream, unless it is told not to', () => {
    const chunks = (joins: boolean | undefined) => {
      const changes: Change[] = [];
      const connection = connected();
      staying(connection)
        .pipe(record((change) => changes.push(change), { joins, now: () => 0 }))
        .subscribe();
      for (const bytes of [3, 4]) connection.stream(499_999).next(new Uint8Array(bytes));
      const atOnce = changes.length;
      vi.advanceTimersByTime(10);
      return {
        atOnce,
        events: changes.flatMap((change) =>
          change.kind === 'event' && change.event.kind === 'chunk' ? [change.event] : [],
        ),
      };
    };
    const joined = chunks(undefined);
    expect(joined.events).toMatchObject([{ bytes: 7, count: 2 }]);
    const single = chunks(false);
    expect(single.events).toMatchObject([{ bytes: 3 }, { bytes: 4 }]);
    expect(single.atOnce).toBeGreaterThan(joined.atOnce);
  });

  test('ends with its subscription: the observer completes, and nothing more is emitted', () => {
    const connection = connected();
    const { subscription, changes, ends } = recorded(staying(connection));
    subscription.unsubscribe();
    const { length } = changes;
    connection.stream(7).next(Uint8Array.of(1));
    expect(changes).toHaveLength(length);
    expect(ends).toEqual(['complete']);
  });

  test('refuses options that are out of their range', () => {
    const failures: unknown[] = [];
    of(connected())
      .pipe(record(() => undefined, { preview: -1 }))
      .subscribe({ error: (error: unknown) => failures.push(error) });
    expect(failures).toEqual([expect.objectContaining({ code: 'BAD_ARGUMENT' })]);
  });
});

describe('the diagram of a connection', () => {
  test('is there when the connection has ended, with what was cut off', async () => {
    const connection = connected();
    const drawn = lastValueFrom(recordConnection(connection).pipe(toDiagram({ title: 'A title' })));
    connection.stream(7).next(Uint8Array.of(0, 1));
    connection.abort(new Error('enough'));
    const { title, lanes } = await drawn;
    expect(title).toBe('A title');
    expect(lanes.map(({ name, events }) => [name, events.map(({ kind }) => kind)])).toEqual([
      ['connection', ['error']],
      ['connection/handle 7', ['packet', 'error']],
    ]);
  });

  test('of a connection that is over says so', async () => {
    const connection = connected();
    connection.close();
    const changes = await lastValueFrom(recordConnection(connection).pipe(toArray()));
    expect(
      changes.map((change) => (change.kind === 'event' ? change.event.kind : change.kind)),
    ).toEqual(['lane', 'complete']);
  });
});
