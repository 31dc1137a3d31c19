import { NEVER, Observable, defer, from, lastValueFrom, mergeMap, of, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memory } from '../../src/drivers/memory.js';
import type { Driver } from '../../src/drivers/driver.js';
import { request } from '../../src/exchange/request.js';
import type { Retry } from '../../src/exchange/retries.js';
import { partialReply, reply, type Service } from '../../src/exchange/service.js';
import { connect, type ConnectOptions } from '../../src/initiator/connect.js';
import { noop } from '../../src/initiator/noop.js';
import { serve } from '../../src/target/serve.js';
import { AmandaError } from '../../src/wire/errors.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function targetOf(service: Service): Driver {
  const { driver, listener } = memory();
  serve(listener, { noop: service }).subscribe();
  return driver;
}

/** A driver that fails so often, and then never connects. */
function unreachable(failures = 0): Driver {
  let left = failures;
  return {
    name: 'bsdtcp',
    user: undefined,
    host: 'db1',
    port: 10_080,
    open: () =>
      defer(() =>
        left-- > 0
          ? throwError(() => new AmandaError('CONNECT_FAILED', 'Cannot connect to db1.'))
          : NEVER,
      ),
  };
}

/** Its error after so many milliseconds, and no earlier. */
async function errorAt(milliseconds: number, source: Observable<unknown>): Promise<unknown> {
  let error: unknown;
  source.subscribe({ error: (reason: unknown) => (error = reason) });
  await vi.advanceTimersByTimeAsync(milliseconds - 1);
  expect(error).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  return error;
}

const silent: Service = () => NEVER;
const partial: Service = () => from([partialReply(['a']), partialReply(['a', 'b'])]).pipe(never());
const streaming: Service = () => of(reply({ streams: { DATA: () => NEVER } }));

function never() {
  return <T>(source: Observable<T>): Observable<T> =>
    new Observable((out) => source.subscribe({ next: (value) => out.next(value) }));
}

describe('a deadline', () => {
  const options: ConnectOptions = { deadline: 3_000 };

  test('of a connection counts while it connects, over all tries, and names host and port', async () => {
    expect(await errorAt(3_000, connect(unreachable(), options))).toMatchObject({
      code: 'DEADLINE',
      message: 'No connection to db1 port 10080 (bsdtcp) within the deadline of 3 s.',
      peer: 'db1 port 10080 (bsdtcp)',
    });
    expect(
      await errorAt(
        3_000,
        connect(unreachable(9), { ...options, connectWait: 500, connectTries: 9 }),
      ),
    ).toMatchObject({ code: 'DEADLINE' });
  });

  test.each([
    ['the reply', silent, /The target acknowledged the request before\.$/],
    ['the whole reply', partial, /acknowledged the request and sent 2 partial replies before\.$/],
  ])('of a connection counts while %s is awaited', async (_, service, told) => {
    const asked = connect(targetOf(service), options).pipe(request('noop'));
    expect(await errorAt(3_000, asked)).toMatchObject({
      code: 'DEADLINE',
      peer: 'target (memory)',
      message: expect.stringMatching(told) as string,
    });
  });

  test('of a connection ends the streams with the same error', async () => {
    let end: unknown;
    const asked = connect(targetOf(streaming), options).pipe(
      request('noop'),
      mergeMap(({ streams }) => {
        streams['DATA']?.subscribe({ error: (error: unknown) => (end = error) });
        return NEVER;
      }),
    );
    expect(await errorAt(3_000, asked)).toMatchObject({ code: 'DEADLINE' });
    expect(end).toMatchObject({ code: 'DEADLINE', peer: 'target (memory)' });
  });

  test.each([
    ['while it connects', unreachable(), /^There was no connection for noop within 2 s\.$/],
    ['while it is silent', targetOf(silent), /of target \(memory\) .* acknowledged the request\.$/],
    ['amid partial replies', targetOf(partial), /acknowledged .* sent 2 partial replies\.$/],
    ['while streams are open', targetOf(streaming), /it replied, and its streams are open\.$/],
  ])('of a call counts %s', async (_, driver, message) => {
    const asked = connect(driver).pipe(request('noop', { deadline: 2_000 }));
    expect(await errorAt(2_000, asked)).toMatchObject({
      code: 'DEADLINE',
      message: expect.stringMatching(message) as string,
    });
  });

  test('is a limit of the typed calls, and leaves no timer behind', async () => {
    const quick = targetOf(() => of(reply({ lines: ['OPTIONS ;'] })));
    const asked = lastValueFrom(connect(quick, options).pipe(noop({ deadline: 2_000 })));
    await vi.advanceTimersByTimeAsync(1_500);
    await asked;
    expect(vi.getTimerCount()).toBe(0);
    const late = connect(targetOf(silent)).pipe(noop({ deadline: 100 }));
    expect(await errorAt(100, late)).toMatchObject({ code: 'DEADLINE' });
  });
});

describe('an error after the ACK', () => {
  test('of a reply that never comes says so, with the partial replies', async () => {
    const asked = connect(targetOf(partial)).pipe(request('noop', { replyRestarts: 0 }));
    expect(await errorAt(31_000, asked)).toMatchObject({
      code: 'REP_TIMEOUT',
      message: expect.stringMatching(
        /sent no reply within 30 s; .* The target acknowledged the request and sent 2 partial replies before\.$/,
      ) as string,
      partialReply: 'a\nb\n',
    });
  });

  test('of a connection that is lost says so', async () => {
    const { driver, listener } = memory();
    const serving = serve(listener, { noop: partial }).subscribe();
    let error: unknown;
    connect(driver)
      .pipe(request('noop'))
      .subscribe({ error: (reason: unknown) => (error = reason) });
    await vi.advanceTimersByTimeAsync(10);
    serving.unsubscribe();
    await vi.advanceTimersByTimeAsync(10);
    expect(error).toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringMatching(/sent 2 partial replies before\.$/) as string,
      partialReply: 'a\nb\n',
    });
  });
});

describe('retries', () => {
  test('are reported before they are made, and only for failures that may pass', async () => {
    const retries: Retry[] = [];
    const onRetry = (retry: Retry): void => void retries.push(retry);
    connect(unreachable(1), { onRetry, connectTimeout: 1_000 }).subscribe({
      error: () => undefined,
    });
    await vi.advanceTimersByTimeAsync(1);
    expect(retries).toMatchObject([
      {
        what: 'connect',
        peer: 'db1 port 10080 (bsdtcp)',
        attempt: 2,
        tries: 3,
        reason: 'Cannot connect to db1.',
        wait: 5_000,
      },
    ]);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(retries[1]?.reason).toBe(
      'No connection to db1 port 10080 (bsdtcp) within 1 s; is the host up, and does a firewall let the port through?',
    );
    retries.length = 0;
    const last = connect(unreachable(1), { onRetry, retryIf: () => false });
    await expect(lastValueFrom(last)).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    expect(retries).toEqual([]);
  });

  test('of a request are reported, too', async () => {
    const retries: Retry[] = [];
    const mute: Driver = {
      ...memory().driver,
      open: (options) => {
        const { driver, listener } = memory();
        listener.accept(options).subscribe();
        return driver.open(options);
      },
    };
    connect(mute, { onRetry: (retry) => void retries.push(retry) })
      .pipe(request('noop'))
      .subscribe({ error: () => undefined });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(retries).toMatchObject([
      { what: 'request', attempt: 2, reason: 'no acknowledgement within 10 s' },
      { what: 'request', attempt: 3, reason: 'no acknowledgement within 10 s' },
    ]);
  });
});
