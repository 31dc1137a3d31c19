import { writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EMPTY, NEVER, Subject, catchError, filter, firstValueFrom, map, of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { amandad } from '../../src/cli/rx-amandad/amandad.js';
import type { AmandadEnvironment } from '../../src/cli/rx-amandad/amandad-environment.js';
import { parseAmandad } from '../../src/cli/rx-amandad/amandad-arguments.js';
import { isStderrFree, type Descriptor } from '../../src/cli/rx-amandad/amandad-log.js';
import { amandadSettings } from '../../src/cli/rx-amandad/amandad-settings.js';
import { servicesOf } from '../../src/cli/rx-amandad/amandad-services.js';
import { certificateSettings } from '../../src/cli/config/certificate-settings.js';
import { RequestLog } from '../../src/cli/rx-amandad/request-log.js';
import { packageVersion } from '../../src/cli/version.js';
import { bsdtcp } from '../../src/drivers/bsdtcp.js';
import { connect } from '../../src/initiator/connect.js';
import { memory } from '../../src/drivers/memory.js';
import { request } from '../../src/exchange/request.js';
import { serve, type ServiceEvent } from '../../src/target/serve.js';
import { AmandaError } from '../../src/wire/errors.js';

describe('the arguments of rx-amandad', () => {
  it('are those of amandad, with its defaults', () => {
    expect(parseAmandad([])).toEqual({
      auth: 'bsdtcp',
      tcpPort: undefined,
      listen: undefined,
      noExit: false,
      settings: [],
      noConfig: false,
      insistOnSafeKey: false,
      sslStrict: false,
      libexec: '/usr/lib/amanda',
      own: false,
      lists: undefined,
      shm: true,
      user: undefined,
      keepCapabilities: false,
      grace: 30_000,
      limits: {},
      log: undefined,
      debug: false,
      services: [],
      unknown: undefined,
    });
    expect(parseAmandad(['-auth=local', 'amdump', '-no-exit', 'amindexd'])).toMatchObject({
      auth: 'local',
      noExit: true,
      services: ['amdump', 'amindexd'],
    });
  });

  it('keep dumps out of shared memory', () => {
    expect(parseAmandad(['-auth=local', '-no-shm'])).toMatchObject({
      shm: false,
      unknown: undefined,
    });
  });

  it('say how often a reply is sent', () => {
    expect(parseAmandad(['-rep-tries=2'])).toMatchObject({
      limits: { replyTries: 2 },
      unknown: undefined,
    });
  });

  it('name the first one that means nothing', () => {
    for (const words of [
      ['noop', 'bogus', 'worse'],
      ['-bogus', 'noop'],
      ['-own=1'],
      ['-tcp'],
      ['noop\n'],
    ]) {
      expect(parseAmandad(words).unknown).toBe(words.find((word) => word !== 'noop'));
    }
  });

  it.each([
    [['-udp=10080'], '-udp goes with -auth=bsdudp or bsd, not with -auth=bsdtcp.'],
    [
      ['-auth=krb5'],
      'There is no auth "krb5"; this version has bsdtcp, ssl, local, ssh, rsh, bsdudp and bsd.',
    ],
    [['-tcp=x'], '-tcp takes a whole number from 0 to 65535, not "x".'],
    [['-auth=local', '-tcp=1'], '-tcp goes with -auth=bsdtcp or ssl, not with -auth=local.'],
    [['-ssl-dir=/etc/ssl'], '-ssl-dir goes with -auth=ssl, not with -auth=bsdtcp.'],
    [
      ['-ssl-check-host=no', '-auth=bsd'],
      '-ssl-check-host goes with -auth=ssl, not with -auth=bsd.',
    ],
    [['-insist-on-safe-key'], '-insist-on-safe-key goes with -auth=ssl, not with -auth=bsdtcp.'],
    [['-ssl-strict'], '-ssl-strict goes with -auth=ssl, not with -auth=bsdtcp.'],
    [
      ['-unreserved-tcp-port=2000,3000'],
      '-unreserved-tcp-port goes with -auth=bsdudp or bsd, not with -auth=bsdtcp.',
    ],
    [
      ['-auth=ssh', '-amandahosts=/etc/hosts'],
      '-amandahosts does not go with -auth=ssh, which admits every initiator.',
    ],
    [['-listen=::1'], '-listen needs -tcp=PORT or -udp=PORT.'],
    [['-lists=/var/lib/lists'], '-lists needs -own.'],
    [
      ['-linger=9', '-tcp=0'],
      '-linger goes with -auth=bsdtcp or ssl from inetd with "wait", not with -tcp or another -auth.',
    ],
    [
      ['-linger=9', '-auth=bsdudp'],
      '-linger goes with -auth=bsdtcp or ssl from inetd with "wait", not with -tcp or another -auth.',
    ],
    [['-grace=-1'], '-grace takes a whole number from 0 to 86400, not "-1".'],
    [['-max-handles=0'], '-max-handles takes a whole number from 1 to 1000000, not "0".'],
    [['-rep-tries=0'], '-rep-tries takes a whole number from 1 to 1000, not "0".'],
    [['-services=mine'], '-services takes own or amanda, not "mine".'],
  ])('%j is wrong usage', (words, sentence) => {
    expect(() => parseAmandad(words)).toThrow(sentence);
  });

  it('choose the services', () => {
    const names = (...words: string[]) => Object.keys(servicesOf(parseAmandad(words)));
    expect(names()).toEqual([
      'noop',
      'sendsize',
      'sendbackup',
      'selfcheck',
      'senddiscover',
      'restore',
    ]);
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

/** Runs rx-amandad and collects its output. */
function started(...words: string[]) {
  return startedWith({}, ...words);
}

function startedWith(more: Partial<AmandadEnvironment>, ...words: string[]) {
  const said: string[] = [];
  const printed: string[] = [];
  const interrupted = new Subject<number>();
  const hangup = new Subject<unknown>();
  const users: (string | undefined)[] = [];
  const lines = new Subject<string>();
  const port = firstValueFrom(
    lines.pipe(
      map((line) => Number(/ port (\d+)$/.exec(line)?.[1])),
      filter((found) => !Number.isNaN(found)),
    ),
  );
  let isReady = (): void => undefined;
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const environment: AmandadEnvironment = {
    print: (text) => printed.push(text),
    printError: (line) => {
      said.push(line);
      lines.next(line);
    },
    isStderrFree: () => true,
    interrupted,
    hangup,
    activation: { kind: 'none' },
    waiting: () => undefined,
    becomeUser: (name) => {
      users.push(name);
      isReady();
    },
    ...more,
  };
  const code = amandad(words, environment);
  return { code, port, ready, said, printed, interrupted, hangup, users, environment };
}

/** The argument for an access file that is in order, and admits nothing. */
async function rules(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rx-amandad-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, '.amandahosts');
  await writeFile(file, '', { mode: 0o600 });
  return `-amandahosts=${file}`;
}

/** The target's answer to a noop from an unreserved port. */
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
    expect(wrong.said).toEqual([
      'rx-amandad: -udp goes with -auth=bsdudp or bsd, not with -auth=bsdtcp.',
    ]);
  });

  it('serves one connection with -tcp, by the rules of Amanda, logs it and ends', async () => {
    const target = started('-tcp=0', '-listen=127.0.0.1', '-own', await rules(), '-libexec=/bin');
    const port = await target.port;
    const refusal = await ask(port);
    expect(refusal).toMatch(/^host \S+: port \d+ not secure$/);
    expect(await target.code).toBe(0);
    expect(target.said.map((line) => line.replace(/^\S+Z \d+ /, ''))).toEqual([
      `listening on 127.0.0.1 port ${port}`,
      '/bin has no program sendsize and selfcheck that this user may run, so requests for it are refused; see -libexec.',
      expect.stringMatching(
        /^request peer=127\.0\.0\.1 port=\d+ auth=bsdtcp user=nobody service=noop verdict=refused reason="host \S+: port \d+ not secure" outcome=refused sent=0 received=0 seconds=\d\.\d{3}$/,
      ),
    ]);
    expect(target.users).toEqual([undefined]);
  });

  it('gives up the rights of root when it listens, and does not serve when that fails', async () => {
    const target = started('-tcp=0', '-listen=127.0.0.1', '-user=backup');
    await target.port;
    expect(target.users).toEqual(['backup']);
    target.interrupted.next(143);
    expect(await target.code).toBe(0);
    const stuck = amandad(['-tcp=0', '-listen=127.0.0.1'], {
      ...target.environment,
      becomeUser: () => {
        throw new AmandaError('BAD_ARGUMENT', 'There is no user nobody-here.');
      },
    });
    expect(await stuck).toBe(2);
    expect(target.said.at(-1)).toBe('rx-amandad: There is no user nobody-here.');
  });

  it('serves any number of connections with -no-exit, until a signal asks it to end', async () => {
    const target = started('-tcp=0', '-listen=127.0.0.1', '-no-exit', '-own');
    const port = await target.port;
    expect(await ask(port)).toContain('not secure');
    expect(await ask(port)).toContain('not secure');
    target.interrupted.next(143);
    expect(await target.code).toBe(0);
  });

  describe('with an amanda-client.conf', () => {
    let installation = '';
    beforeEach(async () => {
      installation = await mkdtemp(join(tmpdir(), 'rx-amandad-'));
    });
    afterEach(() => rm(installation, { recursive: true }));
    const configure = (...lines: string[]): Promise<void> =>
      writeFile(
        join(installation, 'amanda-client.conf'),
        lines.map((line) => `${line}\n`).join(''),
      );
    const fresh = (...words: string[]) =>
      startedWith({ installation }, '-tcp=0', '-listen=127.0.0.1', ...words);

    it('goes by what that says of certificates, unless the words say otherwise or that it is not to be read', async () => {
      await configure('ssl-dir "/nosuch/a"', 'ssl-check-host no', 'SSL_CA_CERT_FILE "/nosuch/ca"');
      const told = async (...words: string[]) =>
        certificateSettings(
          (await amandadSettings(parseAmandad(['-auth=ssl', ...words]), { installation }))()
            .settings,
        );
      expect(await told()).toEqual({
        sslDir: '/nosuch/a',
        sslCheckHost: false,
        sslCaCertFile: '/nosuch/ca',
      });
      expect(
        await told('-ssl-dir=/nosuch/b', '-ssl-check-host=yes', '-ssl-cipher-list=HIGH'),
      ).toEqual({
        sslDir: '/nosuch/b',
        sslCheckHost: true,
        sslCaCertFile: '/nosuch/ca',
        sslCipherList: 'HIGH',
      });
      expect(await told('-no-config', '-ssl-check-fingerprint=no')).toEqual({
        sslCheckFingerprint: false,
      });
      const target = fresh('-auth=ssl');
      expect(await target.code).toBe(1);
      expect(target.said.at(-1)).toMatch(/^rx-amandad: Cannot read \/nosuch\/(a|ca)/);
    });

    it('reads it once the rights of root are given up', async () => {
      await configure('rep-tries 2');
      const order: string[] = [];
      const target = startedWith(
        {
          installation,
          becomeUser: () => {
            // What root may have seen until now is not what counts.
            order.push('user');
            writeFileSync(join(installation, 'amanda-client.conf'), 'rep-tries nonsense\n');
            return undefined;
          },
        },
        '-tcp=0',
        '-listen=127.0.0.1',
      );
      await target.port;
      expect(order).toEqual(['user']);
      expect(target.said[0]).toContain('amanda-client.conf line 1: rep-tries takes a whole number');
      target.interrupted.next(143);
      await target.code;
    });

    it('refuses every request, with file and line, when that is wrong, as Amanda does', async () => {
      await configure('# a comment', 'rep-tries "often"');
      const target = fresh('-own');
      expect(await ask(await target.port)).toMatch(/not secure/);
      expect(await target.code).toBe(0);
      const message = `${join(installation, 'amanda-client.conf')} line 2: rep-tries takes a whole number, perhaps with one unit such as k or weeks.`;
      expect(target.said[0]).toContain(message);
      const { settings, problem } = (await amandadSettings(parseAmandad([]), { installation }))();
      expect([settings, problem?.message]).toEqual([{}, message]);
      const { driver, listener } = memory();
      const serving = serve(listener, servicesOf(parseAmandad([]), { problem })).subscribe();
      await expect(firstValueFrom(connect(driver).pipe(request('noop')))).rejects.toMatchObject({
        code: 'REFUSED',
        message,
      });
      serving.unsubscribe();
    });

    it('logs what is ignored with -debug, and ends with exit code 2 for an invalid argument', async () => {
      await configure('mailer "x"', 'rep-tries 2');
      const target = fresh('-debug');
      await target.port;
      target.interrupted.next(143);
      expect(await target.code).toBe(0);
      expect(
        target.said.some((line) =>
          line.endsWith(
            `${join(installation, 'amanda-client.conf')} line 1: mailer is of no use here, ignored.`,
          ),
        ),
      ).toBe(true);
      const wrong = fresh('-auth=ssl', '-ssl-check-host=perhaps');
      expect(await wrong.code).toBe(2);
      expect(wrong.said).toEqual([
        'rx-amandad: -ssl-check-host=perhaps: ssl-check-host takes yes or no (also true, false, on, off, 1, 0), without quotes.',
      ]);
    });

    it('has the streams of datagrams on the ports that it says', async () => {
      await configure('unreserved-tcp-port 51000,51010');
      const { settings } = (await amandadSettings(parseAmandad(['-auth=bsd']), { installation }))();
      expect(settings['unreserved-tcp-port']?.value).toEqual({ first: 51_000, last: 51_010 });
      const said = (
        await amandadSettings(parseAmandad(['-auth=bsd', '-unreserved-tcp-port=52000']), {
          installation,
        })
      )();
      expect(said.settings['unreserved-tcp-port']?.value).toEqual({ first: 52_000, last: 52_000 });
    });
  });

  it('ends with exit code 1 when it cannot listen', async () => {
    const first = started('-tcp=0', '-listen=127.0.0.1');
    const second = started(`-tcp=${await first.port}`, '-listen=127.0.0.1');
    expect(await second.code).toBe(1);
    expect(second.said[0]).toMatch(
      /^rx-amandad: Cannot listen on 127\.0\.0\.1 port \d+: a program listens there already/,
    );
    first.interrupted.next(143);
    await first.code;
  });

  it.each([
    [
      ['-libexec=/nowhere', '-own'],
      '/nowhere has no program sendsize and selfcheck that this user may run, so requests for it are refused; see -libexec.',
    ],
    [['-own', 'noop', '-lists=/nowhere'], /^Dumps fail, because -lists is not usable: ENOENT/],
    [['-own', 'noop', '-lists=/etc/passwd'], '/etc/passwd is no folder; see -lists.'],
    [
      ['-own', 'noop', '-amandahosts=/nowhere/.amandahosts'],
      'As it is, every request is refused: cannot open /nowhere/.amandahosts: No such file or directory.',
    ],
    [
      ['-own', 'amdmp'],
      '"amdmp" is no argument of rx-amandad, so every request is refused. Did you mean "amdump"?',
    ],
  ])('says at the start what it cannot do: %j', async (words, note) => {
    const target = started(await rules(), '-tcp=0', '-listen=127.0.0.1', ...words);
    await target.port;
    target.interrupted.next(143);
    await target.code;
    const [, said = ''] = target.said;
    const text = said.replace(/^\S+Z \d+ /, '');
    if (typeof note === 'string') expect(text).toBe(note);
    else expect(text).toMatch(note);
  });

  it('logs to a file that is its own, and opens it anew on SIGHUP', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rx-amandad-'));
    const file = join(folder, 'log');
    const words = ['-auth=bsdtcp', '-own', await rules(), '-libexec=/bin', 'noop'];
    const target = started(...words, '-tcp=0', '-listen=127.0.0.1', `-log=${file}`, '-debug');
    await target.ready;
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await rename(file, `${file}.1`);
    target.hangup.next('SIGHUP');
    target.interrupted.next(143);
    expect(await target.code).toBe(0);
    expect(target.said).toEqual([]);
    expect(await readFile(`${file}.1`, 'utf8')).toMatch(
      /^\S+Z \d+ listening on 127\.0\.0\.1 port \d+\n$/,
    );
    expect(await readFile(file, 'utf8')).toMatch(
      /^\S+Z \d+ stopping: what runs may take 30 s more\n$/,
    );
    const nowhere = started('-tcp=0', `-log=${join(folder, 'none', 'log')}`);
    expect(await nowhere.code).toBe(1);
    expect(nowhere.said[0]).toMatch(/^rx-amandad: Cannot write the log .*none\/log: ENOENT/);
    await rm(folder, { recursive: true });
  });

  it('is silent without a word to write to when standard error is the connection', async () => {
    const said: string[] = [];
    const code = amandad(['-udp=1'], {
      print: () => undefined,
      printError: (line) => said.push(line),
      isStderrFree: () => false,
      interrupted: NEVER,
      hangup: EMPTY,
      activation: { kind: 'none' },
      waiting: () => undefined,
      becomeUser: () => undefined,
    });
    expect(await code).toBe(2);
    expect(said).toEqual([]);
  });
});

describe('the log of rx-amandad', () => {
  const peer = { driver: 'bsdtcp', address: '10.0.0.1', port: 900 };
  const asked = { service: 'sendbackup', user: 'backup', arguments: new Uint8Array() };

  /** Takes events at times in seconds, and returns the log. */
  function told(...events: (readonly [second: number, event: ServiceEvent])[]): readonly string[] {
    const lines: string[] = [];
    let now = 0;
    const log = new RequestLog(
      (line) => lines.push(line),
      () => now,
    );
    for (const [second, event] of events) {
      now = second * 1_000;
      log.take(event);
    }
    log.end();
    return lines;
  }

  it('has a line for each request when it is over', () => {
    expect(
      told(
        [1, { kind: 'connected', peer }],
        [1, { kind: 'admitted', peer, handle: 1, request: asked }],
        [2, { kind: 'replied', peer, handle: 1, streams: ['DATA'] }],
        [3.5, { kind: 'ended', peer, handle: 1, outcome: 'completed', sent: 1_234, received: 56 }],
        [
          4,
          {
            kind: 'refused',
            peer,
            handle: 2,
            reason: 'no',
            request: { ...asked, service: 'amindexd' },
          },
        ],
        [4, { kind: 'ended', peer, handle: 2, outcome: 'refused', sent: 0, received: 0 }],
        [5, { kind: 'ended', peer, handle: 3, outcome: 'ignored', sent: 0, received: 0 }],
        [6, { kind: 'disconnected', peer }],
      ),
    ).toEqual([
      'request peer=10.0.0.1 port=900 auth=bsdtcp user=backup service=sendbackup verdict=allowed outcome=completed sent=1234 received=56 seconds=2.500',
      'request peer=10.0.0.1 port=900 auth=bsdtcp user=backup service=amindexd verdict=refused reason=no outcome=refused sent=0 received=0 seconds=0.000',
      'request peer=10.0.0.1 port=900 auth=bsdtcp outcome=ignored sent=0 received=0 seconds=0.000',
    ]);
  });

  it('has one for what is cut short, and for a connection that was no conversation', () => {
    expect(
      told(
        [1, { kind: 'connected', peer }],
        [1, { kind: 'admitted', peer, handle: 1, request: asked }],
        [
          2,
          {
            kind: 'disconnected',
            peer: { driver: 'ssl', host: 'a b' },
            error: new AmandaError('TLS_FAILED', 'It was "none".'),
          },
        ],
        [
          2,
          {
            kind: 'disconnected',
            peer: { driver: 'local' },
            error: new AmandaError('CONNECTION_LOST', 'Gone.'),
          },
        ],
      ),
    ).toEqual([
      'connection host="a b" auth=ssl error="It was \\"none\\"."',
      'request peer=10.0.0.1 port=900 auth=bsdtcp user=backup service=sendbackup verdict=allowed outcome=stopped seconds=1.000',
    ]);
  });

  it('logs twenty refusals of an address in a minute, a hundred of all, and counts the others', () => {
    const stranger = (address: string, second: number): [number, ServiceEvent][] => [
      [second, { kind: 'connected', peer: { driver: 'bsdtcp', address } }],
      [
        second,
        {
          kind: 'disconnected',
          peer: { driver: 'bsdtcp', address },
          error: new AmandaError('TEXT_IN_CHANNEL', 'It is no frame.'),
        },
      ],
    ];
    const storm = (address: string): [number, ServiceEvent][] =>
      Array.from({ length: 50 }, () => stranger(address, 1_000)).flat();
    const lines = told(
      ...['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6'].flatMap(storm),
      ...stranger('10.0.0.1', 1_060),
    );
    expect(lines).toHaveLength(102);
    expect(lines.filter((line) => line.includes('peer=10.0.0.5'))).toHaveLength(20);
    expect(lines.filter((line) => line.includes('peer=10.0.0.6'))).toEqual([]);
    expect(lines.slice(100)).toEqual([
      'rejected untold=200',
      expect.stringContaining('peer=10.0.0.1'),
    ]);
  });

  it('logs what an admitted peer does, however many strangers there are', () => {
    const refused = (handle: number): [number, ServiceEvent][] => [
      [1, { kind: 'refused', peer, handle, reason: 'no' }],
      [1, { kind: 'ended', peer, handle, outcome: 'refused', sent: 0, received: 0 }],
    ];
    const ignored: [number, ServiceEvent] = [
      1,
      { kind: 'ended', peer, handle: 9, outcome: 'ignored', sent: 0, received: 0 },
    ];
    const served: [number, ServiceEvent][] = [
      [2, { kind: 'admitted', peer, handle: 1, request: asked }],
      [2, { kind: 'ended', peer, handle: 1, outcome: 'completed', sent: 0, received: 0 }],
    ];
    const storm = [
      ...Array.from({ length: 100 }, (_, at) => refused(at + 10)).flat(),
      ignored,
      ...refused(7),
    ];
    const lines = told([1, { kind: 'connected', peer }], ...storm, ...served, [
      3,
      { kind: 'disconnected', peer },
    ]);
    expect(lines.filter((line) => line.includes('outcome=refused'))).toHaveLength(20);
    expect(lines.slice(20)).toEqual([
      expect.stringContaining('outcome=completed'),
      'rejected untold=82',
    ]);
  });

  it.each([
    ['root\x1b[2J\x07', '"root\\x1b[2J\\x07"'],
    ['a b=c', '"a b=c"'],
    ['x\nrequest user=root verdict=allowed', '"x\\nrequest user=root verdict=allowed"'],
    ['" verdict=allowed "', '"\\" verdict=allowed \\""'],
    ['\\x1b', '"\\\\x1b"'],
    ['\u202egnp.exe', '"\\u202egnp.exe"'],
    ['', '""'],
    ['u'.repeat(5_000), 'u'.repeat(1_000)],
    ['\x07'.repeat(5_000), `"${'\\x07'.repeat(250)}…"`],
  ])('shows a user named %j as %s', (user, shown) => {
    const refused: ServiceEvent = {
      kind: 'refused',
      peer,
      handle: 1,
      reason: 'no',
      request: { ...asked, user },
    };
    const ended: ServiceEvent = {
      kind: 'ended',
      peer,
      handle: 1,
      outcome: 'refused',
      sent: 0,
      received: 0,
    };
    expect(told([0, { kind: 'connected', peer }], [0, refused], [0, ended])).toEqual([
      `request peer=10.0.0.1 port=900 auth=bsdtcp user=${shown} service=sendbackup verdict=refused reason=no outcome=refused sent=0 received=0 seconds=0.000`,
    ]);
  });

  it('does not go to a standard error that is the connection', () => {
    const socket = (ino: number): Descriptor => ({ dev: 8, ino, isSocket: () => true });
    const file: Descriptor = { dev: 1, ino: 1, isSocket: () => false };
    const free = (...descriptors: (Descriptor | undefined)[]) =>
      isStderrFree((descriptor) => descriptors[descriptor]);
    expect(free(socket(5), socket(5), socket(5))).toBe(false);
    expect(free(socket(5), socket(6), socket(7))).toBe(true);
    expect(free(file, file, file)).toBe(true);
    expect(free(socket(5), socket(5), undefined)).toBe(false);
  });
});
