import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { Subject, filter, firstValueFrom, take, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { serveTapPage } from '../../src/cli/web/serve-tap-page.js';
import type { TapChange } from '../../src/tap/tap-change.js';
import { isAmandaError } from '../../src/wire/errors.js';
import { preview } from './fake-tap.js';
import { parts } from './page-bundle.js';
import { EventStream, ask, eventCount, serveFake, type Served } from './serving.js';

let served: Served | undefined;

afterEach(() => {
  served?.serving.unsubscribe();
  served = undefined;
});

async function serve(
  options: Parameters<typeof serveFake>[0] = {},
): Promise<Served & { readonly path: string }> {
  const one = await serveFake(options);
  served = one;
  return { ...one, path: new URL(one.url).pathname };
}

describe('access to the page', () => {
  it('takes the token, which has at least 128 random bits', async () => {
    const { port, path } = await serve();
    expect(path).toMatch(/^\/[\w-]{32}\/$/);
    expect((await ask(port, path)).status).toBe(200);
    served?.serving.unsubscribe();
    expect((await serve()).path).not.toBe(path);
  });

  it.each([
    '/',
    '/events',
    '/svg?connection=1',
    '/favicon.ico',
    '//',
    '/x/events',
    '/../',
    '*',
    'http://127.0.0.1/',
    '/%00/',
    '/%zz/',
  ])('nobody without it: %s', async (path) => {
    const { port } = await serve();
    const answer = await ask(port, path);
    expect(answer.status).toBe(401);
    expect(answer.body).toBe(
      'The address lacks the token. Use the whole address that rx-amanda has printed.\n',
    );
  });

  it('is refused with a token that is nearly right', async () => {
    const { port, path } = await serve();
    const nearly = `${path.slice(0, -2)}${path.at(-2) === 'A' ? 'B' : 'A'}/`;
    expect((await ask(port, nearly)).status).toBe(401);
    expect((await ask(port, path.slice(0, -2))).status).toBe(401);
    expect((await ask(port, `${path.slice(0, -1)}A/`)).status).toBe(401);
  });

  it.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'localhost:80:80',
    '127.0.0.1@evil.example',
    '[evil]',
  ])(
    'nobody who says that this is host "%s", even with the token: a foreign page may have had its name point here',
    async (host) => {
      const { port, path } = await serve();
      expect((await ask(port, path, { headers: { host } })).status).toBe(403);
      expect((await ask(port, `${path}events`, { headers: { host } })).status).toBe(403);
    },
  );

  it.each(['localhost', 'LOCALHOST:1', '127.0.0.1:9', '[::1]:80'])(
    'who says that it is %s, as through a tunnel',
    async (host) => {
      const { port, path } = await serve();
      expect((await ask(port, path, { headers: { host } })).status).toBe(200);
    },
  );

  it('only this machine, unless it is asked for otherwise', async () => {
    const { url } = await serve();
    expect(new URL(url).hostname).toBe('127.0.0.1');
  });
});

describe('what is answered', () => {
  it('a page in which nothing runs but its own script, and that nothing keeps', async () => {
    const { port, path } = await serve();
    const { headers, body } = await ask(port, path);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-[\w+/]{43}='; style-src 'sha256-[\w+/]{43}='; connect-src 'self'; /,
    );
    expect(headers['content-security-policy']).toContain(
      `frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'`,
    );
    expect(body.match(/<script/g)).toHaveLength(1);
    expect(body).not.toMatch(/src=|@import|url\(|https?:\/\/(?!www\.w3\.org\/)/);
  });

  it('nothing on other paths, and nothing to other methods', async () => {
    const { port, path } = await serve();
    expect((await ask(port, `${path}main.js`)).status).toBe(404);
    expect((await ask(port, path, { method: 'POST' })).status).toBe(405);
    expect((await ask(port, `${path}svg?connection=9`)).status).toBe(404);
    expect((await ask(port, `${path}svg?connection=x`)).status).toBe(404);
  });

  it('a picture of a conversation as a file to keep', async () => {
    const { tap, port, path } = await serve();
    tap.replay(1, 'amdump.3');
    const { status, headers, body } = await ask(port, `${path}svg?connection=1`);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('image/svg+xml; charset=utf-8');
    expect(headers['content-disposition']).toBe('attachment; filename="connection-1.svg"');
    expect(headers['content-security-policy']).toContain('sandbox');
    for (const word of ['Connection 1: sendbackup', 'DATA', 'MESG', 'INDEX', 'REP'])
      expect(body).toContain(word);
  });

  it('of a long conversation a picture of bounded size', async () => {
    const { tap, port, path } = await serve();
    tap.open(1);
    tap.lane(1, 'c');
    tap.lane(1, 'c/DATA', { direction: 'in', under: 'c' });
    for (let at = 0; at < 20_000; at += 1)
      tap.event(1, 'c/DATA', { kind: 'chunk', at, bytes: 32_768, label: 'chunk' });
    const { body } = await ask(port, `${path}svg?connection=1`);
    expect(body.length).toBeGreaterThan(10_000);
    expect(body.length).toBeLessThan(2_000_000);
  });
});

describe('the event stream', () => {
  it('sends a late page all that is kept, and then what comes', async () => {
    const { tap, url } = await serve();
    tap.replay(1, 'noop.1');
    const stream = new EventStream(url);
    await stream.until((messages) => messages.some(({ kind }) => kind === 'closed'));
    expect(stream.messages[0]).toMatchObject({
      kind: 'state',
      fresh: true,
      connections: [{ id: 1, peer: '192.0.2.7:842', target: 'db1.example.com:10080' }],
    });
    const labels = stream.messages.flatMap((message) =>
      message.kind === 'event' ? [message.event.label] : [],
    );
    expect(labels.slice(0, 4)).toEqual([
      'REQ noop',
      'ACK',
      expect.stringContaining('REP OPTIONS'),
      'ACK',
    ]);
    tap.open(2);
    await stream.until((messages) =>
      messages.some((message) => message.kind === 'opened' && message.connection.id === 2),
    );
    tap.end();
    await stream.until((messages) => messages.at(-1)?.kind === 'over');
    stream.leave();
  });

  it('resumes after the last step of a page that reconnects', async () => {
    const { tap, url } = await serve();
    tap.open(1);
    tap.lane(1, 'c');
    tap.event(1, 'c', { kind: 'value', at: 1, label: 'before' });
    const first = new EventStream(url);
    await first.until((messages) => eventCount(messages) === 1);
    first.leave();
    tap.event(1, 'c', { kind: 'value', at: 2, label: 'between' });
    const again = new EventStream(url, first.lastId);
    const messages = await again.until((all) => eventCount(all) > 0);
    expect(messages.map(({ kind }) => kind)).toEqual(['event', 'totals']);
    expect(messages[0]).toMatchObject({ event: { label: 'between' } });
    again.leave();
  });

  it('sends everything to a page with an unknown step', async () => {
    const { tap, url } = await serve();
    tap.replay(1, 'noop.1');
    const stream = new EventStream(url, '999999');
    await stream.until((messages) => messages.some(({ kind }) => kind === 'closed'));
    expect(stream.messages[0]).toMatchObject({ kind: 'state', fresh: true });
    stream.leave();
  });

  it('tells a slow page that steps are gone, and how many', async () => {
    const { tap, url } = await serve({ limits: { steps: 100 } });
    tap.open(1);
    tap.lane(1, 'c');
    const first = new EventStream(url);
    await first.until((messages) => messages.some(({ kind }) => kind === 'totals'));
    first.leave();
    for (let at = 0; at < 1_000; at += 1)
      tap.event(1, 'c', { kind: 'value', at, label: 'one of many' });
    const again = new EventStream(url, first.lastId);
    const messages = await again.until((all) => all.some(({ kind }) => kind === 'totals'));
    expect(messages[0]).toMatchObject({
      kind: 'state',
      fresh: false,
      connections: [{ lanes: [{ name: 'c' }], totals: { events: 1_000 } }],
    });
    const state = messages[0]?.kind === 'state' ? messages[0].connections[0] : undefined;
    expect(eventCount(messages) + (state?.totals.dropped ?? 0)).toBe(1_000);
    again.leave();
  });

  it('keeps no memory of an unread payload beyond its preview', async () => {
    const { tap, url } = await serve();
    tap.open(1);
    tap.lane(1, 'c');
    tap.event(1, 'c', {
      kind: 'chunk',
      at: 0,
      bytes: 100_000,
      label: 'chunk',
      preview: preview('x'.repeat(100_000)),
    });
    const stream = new EventStream(url);
    const messages = await stream.until((all) => eventCount(all) === 1);
    const event = messages.find((message) => message.kind === 'event')?.event;
    expect(Buffer.from(event?.preview ?? '', 'base64')).toEqual(Buffer.from('x'.repeat(512)));
    stream.leave();
  });

  it('is limited to a number of pages; a page that leaves makes room', async () => {
    const { url, events } = await serve({ pages: 2 });
    const streams = [new EventStream(url), new EventStream(url)];
    expect(await Promise.all(streams.map(({ status }) => status))).toEqual([200, 200]);
    const third = await ask(Number(new URL(url).port), `${new URL(url).pathname}events`);
    expect([third.status, third.body]).toEqual([
      503,
      '2 pages are open already; close one of them.\n',
    ]);
    streams[0]?.leave();
    const counts = await firstValueFrom(
      events.pipe(
        filter((event) => event.kind === 'pages'),
        take(3),
        toArray(),
      ),
    );
    expect(counts.map(({ count }) => count)).toEqual([1, 2, 1]);
    const another = new EventStream(url);
    expect(await another.status).toBe(200);
  });
});

describe('the server', () => {
  it('is not kept from its owner by silent connections, however many', async () => {
    const { url, port, tap } = await serve();
    const stream = new EventStream(url);
    expect(await stream.status).toBe(200);
    const strangers = await Promise.all(
      Array.from({ length: 200 }, async (_, count) => {
        const socket = connect(port, '127.0.0.1').on('error', () => undefined);
        await once(socket, 'connect');
        if (count % 2 === 0) socket.write('GET / HTTP/1.1\r\nHost: loc');
        return socket;
      }),
    );
    expect((await ask(port, new URL(url).pathname)).status).toBe(200);
    await expect
      .poll(() => strangers.filter(({ closed }) => !closed).length)
      .toBeLessThanOrEqual(64);
    tap.open(1);
    await stream.until((messages) => messages.some(({ kind }) => kind === 'opened'));
    stream.leave();
    for (const socket of strangers) socket.destroy();
  });

  it('ends its pages and lets go of the port when it is unsubscribed', async () => {
    const { url, port, serving } = await serve();
    const stream = new EventStream(url);
    await stream.until((messages) => messages.length > 0);
    serving.unsubscribe();
    await stream.ended();
    await expect(ask(port, '/')).rejects.toThrow('ECONNREFUSED');
  });

  it('subscribes the changes at once and until it is unsubscribed', () => {
    const changes = new Subject<TapChange>();
    const serving = serveTapPage(changes, { port: 0, parts }).subscribe();
    expect(changes.observed).toBe(true);
    serving.unsubscribe();
    expect(changes.observed).toBe(false);
  });

  it('errors with what the changes error with', async () => {
    const changes = new Subject<TapChange>();
    const failing = firstValueFrom(
      serveTapPage(changes, { port: 0, parts }).pipe(filter(({ kind }) => kind === 'pages')),
    );
    changes.error(new Error('the tap broke'));
    await expect(failing).rejects.toThrow('the tap broke');
  });

  it('errors with CONNECT_FAILED when the port is taken', async () => {
    const other = await new Promise<Server>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
    });
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const failing = firstValueFrom(serveTapPage(new Subject<TapChange>(), { port, parts }));
    await expect(failing).rejects.toSatisfy(
      (error) =>
        isAmandaError(error, 'CONNECT_FAILED') && error.message.includes(`127.0.0.1 port ${port}`),
    );
    other.close();
  });

  it('errors with FILE_FAILED when the page is not there', async () => {
    const missing = firstValueFrom(serveTapPage(new Subject<TapChange>(), { port: 0 }));
    await expect(missing).rejects.toSatisfy((error) => isAmandaError(error, 'FILE_FAILED'));
  });
});
