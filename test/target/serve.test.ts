import {
  EMPTY,
  NEVER,
  Subject,
  concat,
  firstValueFrom,
  lastValueFrom,
  mergeMap,
  of,
  throwError,
  type Observable,
} from 'rxjs';
import { describe, expect, it, test } from 'vitest';
import { allowed, refused } from '../../src/access/verdict.js';
import { connect } from '../../src/initiator/connect.js';
import { memory, memoryChannels } from '../../src/drivers/memory.js';
import { request } from '../../src/exchange/request.js';
import { reply, type Service } from '../../src/exchange/service.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import {
  serve,
  serveConnection,
  type ServiceEvent,
  type ServiceMap,
} from '../../src/target/serve.js';
import { text } from './scripts.js';

/** A target over the memory driver, how to stop it, and all its events. */
function target(services: ServiceMap) {
  const { driver, listener } = memory();
  const stop = new Subject<unknown>();
  const events: ServiceEvent[] = [];
  const over = new Promise<void>((resolve, reject) => {
    serve(listener, services, { stop }).subscribe({
      next: (event) => events.push(event),
      error: reject,
      complete: resolve,
    });
  });
  return { asked: connect(driver, { connectTries: 1 }), stop, events, over };
}

const noop: Service = () => of(reply({ lines: ['OPTIONS features=ff;'] }));

const thrower = (): never => {
  throw new Error('no database');
};

/** Sends these bytes on DATA. */
const sends =
  (data: Observable<Uint8Array>): Service =>
  () =>
    of(reply({ streams: { DATA: () => data } }));

describe('the rules of a target', () => {
  it.each([
    ['that end without a verdict', () => EMPTY, 'the rules of this target gave no verdict'],
    ['that fail', () => throwError(() => new Error('no database')), 'the access check failed'],
    ['that throw', thrower, 'the access check failed'],
    ['whose first verdict is a refusal', () => of(refused('not today'), allowed), 'not today'],
  ])('%s refuse the request', async (_, authorize, message) => {
    const { driver, listener } = memory({ user: 'amanda' });
    serve(listener, { noop }, { authorize }).subscribe();
    await expect(
      firstValueFrom(connect(driver, { connectTries: 1 }).pipe(request('noop'))),
    ).rejects.toMatchObject({ code: 'REFUSED', message });
  });
});

describe('the rules of a target may give', () => {
  it.each([
    ['a verdict', allowed],
    ['a Promise of a verdict', Promise.resolve(allowed)],
    ['an Observable of verdicts', of(allowed)],
  ])('%s that admits the request', async (_, verdict) => {
    const { driver, listener } = memory({ user: 'amanda' });
    serve(listener, { noop }, { authorize: () => verdict }).subscribe();
    const asked = connect(driver, { connectTries: 1 }).pipe(request('noop'));
    expect((await firstValueFrom(asked)).text).toBe('OPTIONS features=ff;\n');
  });

  it.each([
    ['a verdict', refused('not today')],
    ['a Promise of a verdict', Promise.resolve(refused('not today'))],
  ])('%s that refuses the request', async (_, verdict) => {
    const { driver, listener } = memory({ user: 'amanda' });
    serve(listener, { noop }, { authorize: () => verdict }).subscribe();
    await expect(
      firstValueFrom(connect(driver, { connectTries: 1 }).pipe(request('noop'))),
    ).rejects.toMatchObject({ code: 'REFUSED', message: 'not today' });
  });

  it.each<[string, unknown]>([
    ['true', true],
    ['false', false],
    ['a Promise of false', Promise.resolve(false)],
    ['a Promise of nothing', Promise.resolve()],
    ['an Observable of an object', of({})],
    ['nothing', undefined],
    ['a text', 'allowed'],
  ])('nothing else: %s refuses the request, and the event says why', async (_, given) => {
    const { driver, listener } = memory({ user: 'amanda' });
    const events: ServiceEvent[] = [];
    serve(listener, { noop }, { authorize: () => given as typeof allowed }).subscribe((event) =>
      events.push(event),
    );
    await expect(
      firstValueFrom(connect(driver, { connectTries: 1 }).pipe(request('noop'))),
    ).rejects.toMatchObject({ code: 'REFUSED', message: 'the access check failed' });
    expect(events.find(({ kind }) => kind === 'ended')).toMatchObject({
      error: {
        code: 'ACCESS_DENIED',
        message: expect.stringMatching(
          /must give allowed or refused\(reason\), not .+\.$/,
        ) as unknown,
        cause: { code: 'BAD_ARGUMENT' },
      },
    });
  });
});

test('what the rules of a target throw is in the event, not in the answer', async () => {
  const { driver, listener } = memory({ user: 'amanda' });
  const events: ServiceEvent[] = [];
  serve(listener, { noop }, { authorize: thrower }).subscribe((event) => events.push(event));
  const asked = firstValueFrom(connect(driver, { connectTries: 1 }).pipe(request('noop')));
  await expect(asked).rejects.toMatchObject({ message: 'the access check failed' });
  expect(events.find(({ kind }) => kind === 'ended')).toMatchObject({
    outcome: 'refused',
    error: { code: 'ACCESS_DENIED', message: 'The access check failed: no database.' },
  });
});

describe('the check of a service', () => {
  it.each([
    ['says nothing', EMPTY],
    ['has no reason against it', of(undefined)],
    ['returns nothing', undefined],
    ['has a Promise of nothing', Promise.resolve(undefined)],
  ])('that %s lets it run', async (_, said) => {
    const { asked } = target({
      checked: Object.assign(() => of(reply({ lines: ['ran'] })), { check: () => said }),
    });
    expect((await lastValueFrom(asked.pipe(request('checked')))).text).toBe('ran\n');
  });

  it('that gives no text refuses the request', async () => {
    const { asked } = target({
      checked: Object.assign(() => NEVER, { check: () => false as never }),
    });
    await expect(lastValueFrom(asked.pipe(request('checked')))).rejects.toMatchObject({
      code: 'REFUSED',
      message: 'the access check failed',
    });
  });

  it.each([
    ['an Observable of a reason', of('it is Sunday')],
    ['a Promise of a reason', Promise.resolve('it is Sunday')],
    ['a reason', 'it is Sunday'],
  ])('that gives %s refuses the request with it', async (_, reason) => {
    const { asked } = target({
      checked: Object.assign(() => NEVER, { check: () => reason }),
    });
    await expect(lastValueFrom(asked.pipe(request('checked')))).rejects.toMatchObject({
      code: 'REFUSED',
      message: 'it is Sunday',
    });
  });
});

describe('a target that is asked to stop', () => {
  it('lets running requests finish, refuses new ones, and completes after the last one', async () => {
    const data = new Subject<Uint8Array>();
    const { asked, stop, over } = target({
      noop,
      slow: sends(concat(of(new Uint8Array([0x61])), data)),
    });
    const dump = asked.pipe(
      request('slow'),
      mergeMap(async ({ streams, connection }) => {
        const whole = text(streams.DATA);
        stop.next('now');
        await expect(firstValueFrom(of(connection).pipe(request('noop')))).rejects.toMatchObject({
          code: 'REFUSED',
          message: 'amandad is being stopped and takes no new requests',
        });
        data.next(new Uint8Array([0x62]));
        data.complete();
        return whole;
      }),
    );
    expect(await lastValueFrom(dump)).toBe('ab');
    await over;
  });

  it('is unsubscribed for a connection that is over', () => {
    const stop = new Subject<unknown>();
    const [near, far] = memoryChannels();
    const connection = new TcpmConnection(
      far,
      { side: 'target', namesUser: false },
      { gather: false },
    );
    serveConnection(connection, { noop }, { stop }).subscribe();
    expect(stop.observed).toBe(true);
    near.close();
    expect(stop.observed).toBe(false);
  });

  it('immediately closes a connection without a request, and accepts no other', async () => {
    const { asked, stop, events, over } = target({ noop });
    const held = lastValueFrom(asked, { defaultValue: undefined });
    stop.next('now');
    await over;
    await held;
    expect(events.map(({ kind }) => kind)).toEqual(['connected', 'disconnected']);
    await expect(firstValueFrom(asked)).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
  });

  it('completes immediately when nothing is connected', async () => {
    const { stop, over } = target({ noop });
    stop.next('now');
    await over;
  });
});

describe('the events of a request', () => {
  it('have the bytes that it sent and received', async () => {
    const { asked, events } = target({
      slow: sends(of(new Uint8Array(1_000), new Uint8Array(24))),
    });
    await lastValueFrom(
      asked.pipe(
        request('slow'),
        mergeMap(({ streams }) => text(streams.DATA)),
      ),
    );
    // CONNECT DATA 499999 and a newline are 20 bytes. The request had an OPTIONS line.
    const ended = events.find(({ kind }) => kind === 'ended');
    expect(ended).toMatchObject({ outcome: 'completed', sent: 20 + 1_024 });
    expect(ended?.kind === 'ended' && ended.received).toBeGreaterThan(0);
  });

  it('have the failure of a service, and the reply that tells it', async () => {
    const { asked, events } = target({
      broken: () => throwError(() => new Error('the disk is gone')),
    });
    const { text: said } = await lastValueFrom(asked.pipe(request('broken')));
    expect(said).toBe('ERROR service broken: the service failed\n');
    expect(events.map(({ kind }) => kind)).toEqual([
      'connected',
      'admitted',
      'replied',
      'ended',
      'disconnected',
    ]);
    expect(events.at(-2)).toMatchObject({
      outcome: 'failed',
      service: 'broken',
      seconds: expect.any(Number) as number,
      sent: 41,
      error: { code: 'SERVICE_FAILED', message: 'The service broken failed: the disk is gone.' },
    });
  });

  it('have nothing sent for a request that was refused', async () => {
    const { asked, events } = target({ noop: () => NEVER });
    await expect(lastValueFrom(asked.pipe(request('none')))).rejects.toMatchObject({
      code: 'REFUSED',
    });
    expect(events.find(({ kind }) => kind === 'ended')).toMatchObject({
      outcome: 'refused',
      sent: 0,
      received: 0,
    });
  });
});
