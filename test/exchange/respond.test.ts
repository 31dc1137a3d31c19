import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { NEVER, concat, firstValueFrom, from, lastValueFrom, map, of, tap, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/connection/connection.js';
import type { Stream } from '../../src/connection/stream.js';
import { connect } from '../../src/initiator/connect.js';
import { memory } from '../../src/drivers/memory.js';
import { request, type Reply } from '../../src/exchange/request.js';
import {
  partialReply,
  reply,
  type Service,
  type StreamHandler,
} from '../../src/exchange/service.js';
import { serve, type ServiceEvent } from '../../src/target/serve.js';
import { MAX_PAYLOAD } from '../../src/wire/frame.js';
import { AmandaError } from '../../src/wire/errors.js';

/** What an initiator gets from a target with this one service. */
async function asked(service: Service): Promise<readonly Reply[]> {
  const { driver, listener } = memory();
  const serving = serve(listener, { noop: service }).subscribe();
  const replies = await lastValueFrom(connect(driver).pipe(request('noop'), toArray()));
  serving.unsubscribe();
  return replies;
}

describe('the reply of a service', () => {
  test('ends at its first NUL, as the text of a packet does', async () => {
    const replies = await asked(() => of({ kind: 'final', body: Buffer.from('one\0two\n') }));
    expect(replies.map(({ text }) => text)).toEqual(['one']);
  });

  test('that fits no packet is an ERROR in its place, and a partial one is spared', async () => {
    const long = 'x'.repeat(MAX_PAYLOAD);
    const replies = await asked(() => from([partialReply([long]), reply({ lines: [long] })]));
    expect(replies.map(({ errors }) => errors)).toEqual([
      ['service noop: its reply of 4194305 bytes is over the 4194302 that fit one packet'],
    ]);
  });

  test('with streams that cannot be announced is an ERROR in its place', async () => {
    const [only] = await asked(() => of(reply({ streams: { 'NOT A NAME': () => [] } })));
    expect(only?.errors[0]).toMatch(/^service noop: These streams cannot be announced/);
  });

  test('comes from a service that throws instead of returning, too', async () => {
    const [only] = await asked(() => {
      throw new AmandaError('SERVICE_FAILED', 'at once\nand twice');
    });
    expect(only?.errors).toEqual(['service noop: at once\\nand twice']);
  });

  test('of a service that throws anything but an AmandaError does not say what it was', async () => {
    const [only] = await asked(() => {
      throw new TypeError('m.allowed is not a function');
    });
    expect(only?.errors).toEqual(['service noop: the service failed']);
  });

  test('counts once: what a service says after its final reply is not sent', async () => {
    const replies = await asked(() => from([reply({ lines: ['one'] }), reply({ lines: ['two'] })]));
    expect(replies.map(({ lines }) => lines)).toEqual([['one']]);
  });
});

describe('a service that returns something else than replies', () => {
  test.each<[string, unknown, string]>([
    ['a string', 'OPTIONS ;', 'it returned a string instead of an Observable of replies'],
    ['a number', 5, 'it returned a number instead of an Observable of replies'],
    ['nothing', undefined, 'it returned undefined instead of an Observable of replies'],
    ['an object', {}, 'it returned an object instead of an Observable of replies'],
    [
      'a reply by itself',
      reply(),
      'it returned a reply instead of an Observable of it, such as of(reply)',
    ],
    ['a promise of a string', Promise.resolve('text'), 'it emitted a string instead of a reply'],
    ['an Observable of nothing', of(undefined), 'it emitted undefined instead of a reply'],
    ['a list of strings', ['text'], 'it emitted a string instead of a reply'],
    ['a reply with a text as body', of({ kind: 'final', body: 'text' }), 'it emitted an object'],
    [
      'a stream without a function',
      of(reply({ streams: { DATA: 'text' as never } })),
      'the handler of its stream DATA is a string, not a function',
    ],
  ])('errors with a code: %s', async (_, returned, why) => {
    const { driver, listener } = memory();
    const events: ServiceEvent[] = [];
    const service = (() => returned) as Service;
    const serving = serve(listener, { noop: service }).subscribe((event) => events.push(event));
    const replied = await lastValueFrom(connect(driver).pipe(request('noop')));
    serving.unsubscribe();
    expect(replied.errors[0]).toContain(`service noop: ${why}`);
    expect(events.find(({ kind }) => kind === 'ended')).toMatchObject({
      error: {
        code: 'SERVICE_FAILED',
        message: expect.stringContaining(`The service noop failed: ${why}`) as unknown,
        cause: { code: 'BAD_ARGUMENT' },
      },
    });
  });

  test.each<[string, () => unknown, string]>([
    ['a text', () => 'text', 'an iterable or a Readable, not a string'],
    ['nothing', () => undefined, 'an iterable or a Readable, not undefined'],
    ['bytes by themselves', () => Buffer.from('text'), 'not bytes; put them in a list'],
    ['texts', () => ['text'], 'A stream sends bytes (a Uint8Array), not a string.'],
    [
      'texts of a generator',
      async function* () {
        yield 'text';
      },
      'A stream sends bytes (a Uint8Array), not a string.',
    ],
    [
      'texts of a Readable',
      () => Readable.from(['text']),
      'A stream sends bytes (a Uint8Array), not a string.',
    ],
  ])('errors with a code when its stream is %s', async (_, handler, why) => {
    const { driver, listener } = memory();
    const events: ServiceEvent[] = [];
    const service = () => of(reply({ streams: { DATA: handler as StreamHandler } }));
    const serving = serve(listener, { noop: service }).subscribe((event) => events.push(event));
    await expect(lastValueFrom(connect(driver).pipe(request('noop')))).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
    });
    serving.unsubscribe();
    expect(events.find(({ kind }) => kind === 'ended')).toMatchObject({
      error: {
        code: 'SERVICE_FAILED',
        message: expect.stringContaining(why) as unknown,
        cause: { code: 'BAD_ARGUMENT' },
      },
    });
  });
});

describe('the streams of a reply', () => {
  /** Sends `hello` on the one stream of a service, closes it, and waits for the request to end. */
  async function helloTo(handler: StreamHandler): Promise<void> {
    const { driver, listener } = memory();
    const service = () => concat(of(reply({ streams: { IN: handler } })), NEVER);
    const serving = serve(listener, { noop: service }).subscribe();
    const sent = connect(driver).pipe(
      request('noop'),
      tap(({ streams }) => {
        streams.IN?.next(Buffer.from('hello'));
        streams.IN?.complete();
      }),
    );
    await lastValueFrom(sent);
    serving.unsubscribe();
  }

  test('keep what their handler does not read, until it does', async () => {
    let kept: Stream | undefined;
    await helloTo((...[incoming]) => {
      kept = incoming;
      return [];
    });
    expect(kept?.held).toBeGreaterThan(0);
    expect(await text(kept ?? expect.unreachable())).toBe('hello');
  });

  test('keep nothing that their handler has discarded', async () => {
    let discarded: Stream | undefined;
    await helloTo((incoming) => {
      discarded = incoming;
      incoming.discard();
      return [];
    });
    expect(discarded).toMatchObject({ received: 5, held: 0 });
    await expect(text(discarded ?? expect.unreachable())).rejects.toMatchObject({
      code: 'ALREADY_READ',
    });
  });
});

describe('requests', () => {
  test('over the limit of a connection are refused, and those below it go on', async () => {
    const { driver, listener } = memory();
    const serving = serve(
      listener,
      {
        noop: ({ handle }) => of(reply({ lines: [String(handle)] })),
        slow: () => new Promise(() => undefined),
      },
      { maxRequests: 2 },
    ).subscribe();
    const connection = await new Promise<Connection>((resolve) => {
      connect(driver).subscribe(resolve);
    });
    const ask = (service: string, body = '') =>
      lastValueFrom(
        of(connection).pipe(
          request({ service, body }),
          map(({ lines }) => lines),
        ),
      );
    const running = [ask('slow', 'a'), ask('slow', 'b')];
    for (const one of running) one.catch(() => undefined);
    await expect(ask('noop')).rejects.toMatchObject({
      code: 'REFUSED',
      message: 'more than 2 requests at once on one connection',
    });
    expect(await firstValueFrom(connection.flow)).toMatchObject({ held: 0 });
    connection.close();
    serving.unsubscribe();
  });
});
