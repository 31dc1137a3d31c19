import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NEVER, Subject, catchError, firstValueFrom, map, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { amandad } from '../../src/cli/amandad.js';
import { parseAmandad } from '../../src/cli/amandad-arguments.js';
import { isStderrFree, requestLog, type Descriptor } from '../../src/cli/amandad-log.js';
import { servicesOf } from '../../src/cli/amandad-services.js';
import { packageVersion } from '../../src/cli/version.js';
import { bsdtcp } from '../../src/drivers/bsdtcp.js';
import { connect } from '../../src/drivers/connect.js';
import { memory } from '../../src/drivers/memory.js';
import { request } from '../../src/exchange/request.js';
import { serve } from '../../src/target/serve.js';

describe('the words behind rx-amandad', () => {
  it('are those of amandad, with its defaults', () => {
    expect(parseAmandad([])).toEqual({
      auth: 'bsdtcp',
      tcpPort: undefined,
      listen: undefined,
      noExit: false,
      sslDir: undefined,
      libexec: '/usr/lib/amanda',
      own: false,
      lists: undefined,
      log: undefined,
      debug: false,
      services: [],
      unknown: undefined,
    });
    expect(parseAmandad(['-auth=local', 'amdump', '-no-exit', 'amindexd'])).toMatchObject({ auth: 'local', noExit: true, services: ['amdump', 'amindexd'] });
  });

  it('name the first one that means nothing', () => {
    for (const words of [['noop', 'bogus', 'worse'], ['-bogus', 'noop'], ['-own=1'], ['-tcp'], ['noop\n']]) {
      expect(parseAmandad(words).unknown).toBe(words.find((word) => word !== 'noop'));
    }
  });

  it.each([
    [['-udp=10080'], '-udp goes with -auth=bsdudp or bsd, not with -auth=bsdtcp.'],
    [['-auth=krb5'], '-auth=krb5 is not there; this version has bsdtcp, ssl, local, ssh, rsh, bsdudp and bsd.'],
    [['-tcp=x'], '-tcp takes a whole number from 0 to 65535, not "x".'],
    [['-auth=local', '-tcp=1'], '-tcp goes with -auth=bsdtcp or ssl, not with -auth=local.'],
    [['-ssl-dir=/etc/ssl'], '-ssl-dir goes with -auth=ssl, not with -auth=bsdtcp.'],
    [['-listen=::1'], '-listen needs -tcp=PORT or -udp=PORT.'],
    [['-lists=/var/lib/lists'], '-lists needs -own.'],
    [['-services=mine'], '-services takes own or amanda, not "mine".'],
  ])('%j is wrong usage', (words, sentence) => {
    expect(() => parseAmandad(words)).toThrow(sentence);
  });

  it('choose the services', () => {
    const names = (...words: string[]) => Object.keys(servicesOf(parseAmandad(words)));
    expect(names()).toEqual(['noop', 'sendsize', 'sendbackup', 'selfcheck', 'senddiscover', 'restore']);
    expect(names('-own', 'amdump')).toEqual(['noop', 'sendsize', 'sendbackup', 'selfcheck']);
    expect(names('-own', 'selfcheck')).toEqual(['selfcheck']);
    expect(names('-auth=local')).toHaveLength(10);
  });

  it('refuse every request when a word means nothing, and say which', async () => {
    const { driver, listener } = memory();
    const serving = serve(listener, servicesOf(parseAmandad(['noop', 'bogus']))).subscribe();
    for (const service of ['noop', 'selfcheck']) {
      await expect(firstValueFrom(connect(driver).pipe(request(service)))).rejects.toMatchObject({
        code: 'REFUSED',
        message: "invalid 'bogus' service as argument to amandad",
      });
    }
    serving.unsubscribe();
  });
});

/** Runs it with these words, and tells what it said. */
function started(...words: string[]) {
  const said: string[] = [];
  const printed: string[] = [];
  const interrupted = new Subject<unknown>();
  const lines = new Subject<string>();
  const port = firstValueFrom(lines.pipe(map((line) => Number(/ port (\d+)$/.exec(line)?.[1]))));
  const code = amandad(words, {
    print: (text) => printed.push(text),
    complain: (line) => {
      said.push(line);
      lines.next(line);
    },
    isStderrFree: () => true,
    interrupted,
  });
  return { code, port, said, printed, interrupted };
}

/** What a target answers to a noop from a port that everybody may use. */
function ask(port: number): Promise<string> {
  return firstValueFrom(
    connect(bsdtcp({ host: '127.0.0.1', port, user: 'nobody', reservedPorts: false })).pipe(
      request('noop'),
      map(({ text }) => text),
      catchError((error: unknown) => of(error instanceof Error ? error.message : String(error))),
    ),
  );
}

describe('rx-amandad', () => {
  it('says its version as amandad does, and how it is used', async () => {
    const version = started('--version');
    expect(await version.code).toBe(0);
    expect(version.printed).toEqual([`rx-amandad-${packageVersion()}\n`]);
    const help = started('--help');
    expect(await help.code).toBe(0);
    expect(help.printed.join('')).toMatch(/^Usage: rx-amandad /);
    expect(
      help.printed
        .join('')
        .split('\n')
        .filter((line) => line.length > 80),
    ).toEqual([]);
  });

  it('ends with exit code 2 and a sentence for wrong usage', async () => {
    const wrong = started('-udp=1');
    expect(await wrong.code).toBe(2);
    expect(wrong.said).toEqual(['rx-amandad: -udp goes with -auth=bsdudp or bsd, not with -auth=bsdtcp.']);
  });

  it('serves one connection with -tcp, by the rules of Amanda, tells of it and ends', async () => {
    const target = started('-tcp=0', '-listen=127.0.0.1', '-own');
    const port = await target.port;
    const refusal = await ask(port);
    expect(refusal).toMatch(/^host \S+: port \d+ not secure$/);
    expect(await target.code).toBe(0);
    expect(target.said).toEqual([
      `listening on 127.0.0.1 port ${port}`,
      expect.stringMatching(/^127\.0\.0\.1:\d+ \(bsdtcp\): .* refused: host \S+: port \d+ not secure$/),
    ]);
  });

  it('serves any number of connections with -no-exit, until a signal asks it to end', async () => {
    const target = started('-tcp=0', '-listen=127.0.0.1', '-no-exit', '-own');
    const port = await target.port;
    expect(await ask(port)).toContain('not secure');
    expect(await ask(port)).toContain('not secure');
    target.interrupted.next(143);
    expect(await target.code).toBe(0);
  });

  it('ends with exit code 1 when it cannot listen', async () => {
    const first = started('-tcp=0', '-listen=127.0.0.1');
    const second = started(`-tcp=${await first.port}`, '-listen=127.0.0.1');
    expect(await second.code).toBe(1);
    expect(second.said[0]).toMatch(/^rx-amandad: Cannot listen on 127\.0\.0\.1 port \d+: /);
    first.interrupted.next(143);
    await first.code;
  });

  it('logs to a file that is its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rx-amandad-'));
    const file = join(folder, 'log');
    const target = started('-tcp=0', '-listen=127.0.0.1', `-log=${file}`, '-debug');
    target.interrupted.next(143);
    expect(await target.code).toBe(0);
    expect(target.said).toEqual([]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toBe('');
    const nowhere = started('-tcp=0', `-log=${join(folder, 'none', 'log')}`);
    expect(await nowhere.code).toBe(1);
    expect(nowhere.said[0]).toMatch(/^rx-amandad: Cannot write the log .*none\/log: ENOENT/);
    await rm(folder, { recursive: true });
  });

  it('is silent without a word to write to when standard error is the connection', async () => {
    const said: string[] = [];
    const code = amandad(['-udp=1'], { print: () => undefined, complain: (line) => said.push(line), isStderrFree: () => false, interrupted: NEVER });
    expect(await code).toBe(2);
    expect(said).toEqual([]);
  });
});

describe('the log of rx-amandad', () => {
  it('has a line for each request when it is over', () => {
    const told: string[] = [];
    let now = 1_000;
    const log = requestLog(
      (line) => told.push(line),
      () => now,
    );
    const peer = { driver: 'bsdtcp', address: '10.0.0.1', port: 900 };
    const asked = { service: 'sendbackup', user: 'backup', arguments: new Uint8Array() };
    log({ kind: 'connected', peer });
    log({ kind: 'admitted', peer, handle: 1, request: asked });
    now = 3_500;
    log({ kind: 'replied', peer, handle: 1, streams: ['DATA'] });
    log({ kind: 'ended', peer, handle: 1, outcome: 'completed', sent: 1, received: 2 });
    log({ kind: 'refused', peer, handle: 2, reason: 'no', request: { ...asked, service: 'amindexd' } });
    log({ kind: 'ended', peer, handle: 2, outcome: 'refused', sent: 0, received: 0 });
    log({ kind: 'disconnected', peer });
    expect(told).toEqual(['10.0.0.1:900 (bsdtcp): sendbackup for backup completed after 2.50 s', '10.0.0.1:900 (bsdtcp): amindexd refused: no']);
  });

  it('does not go to a standard error that is the connection', () => {
    const socket = (ino: number): Descriptor => ({ dev: 8, ino, isSocket: () => true });
    const file: Descriptor = { dev: 1, ino: 1, isSocket: () => false };
    const free = (...descriptors: (Descriptor | undefined)[]) => isStderrFree((descriptor) => descriptors[descriptor]);
    expect(free(socket(5), socket(5), socket(5))).toBe(false);
    expect(free(socket(5), socket(6), socket(7))).toBe(true);
    expect(free(file, file, file)).toBe(true);
    expect(free(socket(5), socket(5), undefined)).toBe(false);
  });
});
