import { concat, defer, map, mergeMap, of, switchMap, timer } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Connection } from '../../src/connection/connection.js';
import { memory } from '../../src/drivers/memory.js';
import { reply } from '../../src/exchange/service.js';
import { connect } from '../../src/initiator/connect.js';
import { noop } from '../../src/initiator/noop.js';
import { onConnection } from '../../src/initiator/on-connection.js';
import { sendsize } from '../../src/initiator/sendsize.js';
import { serve, type ServiceEvent } from '../../src/target/serve.js';
import { answering } from './fake-target.js';

const services = {
  noop: answering(reply({ lines: ['OPTIONS features=03;'] })),
  sendsize: answering(reply({ lines: ['OPTIONS ;', '/home 0 SIZE 7'] })),
};

/** What a program makes of a connection to a target of these services, and what the target says. */
interface Ran {
  readonly values: unknown[];
  readonly events: readonly ServiceEvent['kind'][];
  /** Undefined while it goes on. */
  readonly end: 'complete' | { readonly code?: unknown; readonly message?: unknown } | undefined;
}

function run(program: (connections: Observable<Connection>) => Observable<unknown>): Ran {
  const { driver, listener } = memory();
  const events: ServiceEvent['kind'][] = [];
  serve(listener, services).subscribe(({ kind }) => events.push(kind));
  const ran: { values: unknown[]; events: typeof events; end: Ran['end'] } = {
    values: [],
    events,
    end: undefined,
  };
  program(connect(driver)).subscribe({
    next: (value) => ran.values.push(value),
    error: (error: unknown) => (ran.end = error as Ran['end']),
    complete: () => (ran.end = 'complete'),
  });
  return ran;
}

const askNoop = (connection: Connection): Observable<string> =>
  of(connection).pipe(
    noop(),
    map(({ features }) => features.toString()),
  );
const askSizes = (connection: Connection): Observable<string> =>
  of(connection).pipe(
    sendsize({ dles: [{ program: 'GNUTAR', disk: '/home' }] }),
    map(({ kind }) => kind),
  );
const both = (connection: Connection): Observable<string> =>
  concat(askNoop(connection), askSizes(connection));

describe('several calls on one connection', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('complete at once with onConnection', async () => {
    const ran = run((connections) => connections.pipe(onConnection(both)));
    await vi.advanceTimersByTimeAsync(0);
    expect(ran.values).toEqual(['03', 'size']);
    expect(ran.end).toBe('complete');
    expect(ran.events.at(-1)).toBe('disconnected');
  });

  test('complete a second after the last of them without it', async () => {
    const ran = run((connections) => connections.pipe(switchMap(both)));
    await vi.advanceTimersByTimeAsync(999);
    expect(ran.values).toEqual(['03', 'size']);
    expect(ran.end).toBe(undefined);
    await vi.advanceTimersByTimeAsync(1);
    expect(ran.end).toBe('complete');
    expect(ran.events.at(-1)).toBe('disconnected');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('may have pauses of a second between them', async () => {
    const later = (connection: Connection) =>
      concat(askNoop(connection), timer(999).pipe(mergeMap(() => askSizes(connection))));
    const ran = run((connections) => connections.pipe(switchMap(later)));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(ran.values).toEqual(['03', 'size']);
    expect(ran.end).toBe('complete');
  });

  test('may have longer pauses with onConnection', async () => {
    const later = (connection: Connection) =>
      concat(askNoop(connection), timer(20_000).pipe(mergeMap(() => askSizes(connection))));
    const ran = run((connections) => connections.pipe(onConnection(later)));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(ran.values).toEqual(['03', 'size']);
    expect(ran.end).toBe('complete');
  });

  test('that come too late are told to use onConnection', async () => {
    const later = (connection: Connection) =>
      concat(
        askNoop(connection),
        defer(() => timer(1_001)).pipe(mergeMap(() => askSizes(connection))),
      );
    const late: unknown[] = [];
    const ran = run((connections) =>
      connections.pipe(
        switchMap((connection) => {
          later(connection).subscribe({ error: (error: unknown) => late.push(error) });
          return of('connected');
        }),
      ),
    );
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ran.end).toBe('complete');
    await vi.advanceTimersByTimeAsync(1);
    expect(late).toEqual([
      expect.objectContaining({
        code: 'CONNECTION_CLOSED',
        message: expect.stringContaining('onConnection') as string,
      }),
    ]);
  });

  test('are waited for, however long the first of them takes to begin', async () => {
    const ran = run((connections) =>
      connections.pipe(
        switchMap((connection) => timer(10_000).pipe(mergeMap(() => askNoop(connection)))),
      ),
    );
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ran.values).toEqual(['03']);
  });
});

test('a connection on which no call was made is held until it is unsubscribed', async () => {
  vi.useFakeTimers();
  try {
    const ran = run((connections) => connections.pipe(map(() => 'connected')));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(ran).toMatchObject({ values: ['connected'], end: undefined });
  } finally {
    vi.useRealTimers();
  }
});
