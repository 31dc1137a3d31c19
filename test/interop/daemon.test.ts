import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { firstValueFrom, from, lastValueFrom, mergeMap, of, take, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bsdtcp, connect, request, ssl, type Connection } from '../../src/index.js';
import { openCertificates } from '../support/certificates.js';
import {
  giveToBackup,
  openSandbox,
  type Sandbox,
  type StartOptions,
  whyNoSandbox,
} from '../support/sandbox.js';
import { installRxAmandad } from '../support/rx-amandad.js';
import { describeUnless, missingPrograms } from '../support/skips.js';

const activator = '/usr/bin/systemd-socket-activate';

let sandbox: Sandbox;
/** The program, and a folder with services of ours in the place of Amanda's. */
let program = '';
let libexec = '';

/** Answers with what it has around it. */
const tells = `cat >/dev/null
echo "uid=$(id -u) gid=$(id -g) groups=$(id -G)"
echo "HOME=$HOME USER=$USER umask=$(umask)"
env | grep -c ^LISTEN_
setpriv --reuid 0 true 2>/dev/null && echo 'root again' || echo 'never root again'
`;

/** Sends a letter, waits until a file is there, and sends another; it does not mind SIGTERM. */
const dumps = `cat >/dev/null
trap '' TERM
printf 'CONNECT DATA 150\\n\\nOPTIONS ;\\n'
exec 1>&-
printf a >&150
echo $$ >"$0.pid"
read -r line <"$0.fifo"
printf b >&150
`;

beforeAll(() => {
  if (whyNoSandbox() !== undefined) return;
  sandbox = openSandbox();
  program = installRxAmandad(sandbox);
  libexec = join(sandbox.directory, 'libexec');
  mkdirSync(libexec);
  for (const [name, lines] of [
    ['noop', tells],
    ['sendbackup', dumps],
  ] as const) {
    const file = join(libexec, name);
    writeFileSync(file, `#!/bin/bash\n${lines}`);
    chmodSync(file, 0o755);
  }
  execFileSync('mkfifo', [join(libexec, 'sendbackup.fifo')]);
  giveToBackup(libexec);
});
afterAll(() => sandbox?.close());

/** What a service tells that runs as user backup, with all its groups. */
const asBackup = `uid=34 gid=34 groups=${groupsOfBackup()}\nHOME=/var/backups USER=backup umask=0077\n0\nnever root again\n`;

function groupsOfBackup(): string {
  return spawnSync('id', ['-G', 'backup'], { encoding: 'utf8' }).stdout.trim();
}

/** A program that runs, with what it has said and how it ended. */
interface Running {
  readonly child: ChildProcess;
  readonly said: string[];
  readonly exit: Promise<number | null>;
  /** Resolves to the first line that matches. */
  readonly line: (pattern: RegExp) => Promise<RegExpExecArray>;
}

function run(command: string, args: readonly string[], options: StartOptions = {}): Running {
  const child = sandbox.start(command, args, { cwd: '/', ...options });
  const said: string[] = [];
  const waiting = new Set<() => void>();
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (text) => {
      said.push(text);
      for (const look of waiting) look();
    });
  }
  const exit = once(child, 'close').then(([code]) => code as number | null);
  const line = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = said.map((text) => pattern.exec(text)).find((match) => match !== null);
        if (found) resolve(found);
      };
      waiting.add(look);
      look();
      void exit.then((code) => {
        reject(new Error(`It ended with ${code} and said:\n${said.join('\n')}`));
      });
    });
  return { child, said, exit, line };
}

/** The daemon, with the services of ours. */
async function daemon(
  user: 'root' | 'backup',
  ...words: readonly string[]
): Promise<Running & { readonly port: number }> {
  const running = run(
    program,
    [
      '-auth=bsdtcp',
      '-no-exit',
      '-tcp=0',
      '-listen=127.0.0.1',
      `-libexec=${libexec}`,
      ...words,
      'amdump',
    ],
    { user },
  );
  const [, port] = await running.line(/listening on 127\.0\.0\.1 port (\d+)$/);
  return { ...running, port: Number(port) };
}

async function end({ child, exit }: Running): Promise<void> {
  child.kill('SIGKILL');
  await exit;
}

const target = (port: number, user = 'backup') =>
  connect(bsdtcp({ host: '127.0.0.1', port, user }), { connectTries: 1 });
const noop = (port: number) =>
  lastValueFrom(target(port).pipe(request('noop'))).then(({ text }) => text);

/** What ends the wait of a dump. */
const letGo = () => execFileSync('/bin/sh', ['-c', `echo >'${join(libexec, 'sendbackup.fifo')}'`]);

/** Begins a dump, and calls `then` when its first byte is there; gives all its bytes. */
function dump(port: number, then: (connection: Connection) => unknown): Promise<string> {
  return lastValueFrom(
    target(port).pipe(
      request('sendbackup'),
      mergeMap(async ({ streams, connection }) => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of streams.DATA ?? []) {
          chunks.push(chunk);
          if (chunks.length === 1) await then(connection);
        }
        return Buffer.concat(chunks).toString();
      }),
    ),
  );
}

/** Whether a process runs; a zombie that waits for its parent does not. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describeUnless(whyNoSandbox(), 'rx-amandad as a daemon', () => {
  it('serves 200 connections at once', async () => {
    const running = await daemon('backup', '-own');
    const texts = await lastValueFrom(
      from(Array.from({ length: 200 })).pipe(
        mergeMap(() => noop(running.port)),
        toArray(),
      ),
    );
    expect(new Set(texts)).toEqual(
      new Set([expect.stringMatching(/^OPTIONS features=[0-9a-f]+;\n/)]),
    );
    expect(texts).toHaveLength(200);
    await end(running);
  });

  it('takes no more connections at once than it is told to', async () => {
    const running = await daemon('backup', '-own', '-max-connections=1');
    await lastValueFrom(
      target(running.port).pipe(
        mergeMap(() =>
          expect(noop(running.port)).rejects.toMatchObject({ code: 'CONNECTION_LOST' }),
        ),
        take(1),
      ),
    );
    await end(running);
  });

  it('writes a line for each request, in which nothing from the peer can pass for something else', async () => {
    const running = await daemon('backup');
    await noop(running.port);
    await running.line(
      / request peer=127\.0\.0\.1 port=\d+ auth=bsdtcp user=backup service=noop verdict=allowed outcome=completed sent=\d+ received=\d+ seconds=[\d.]+$/,
    );
    await expect(
      lastValueFrom(
        target(running.port, 'eve\u001b]0;x\u0007 verdict=allowed').pipe(request('noop')),
      ),
    ).rejects.toMatchObject({ code: 'REFUSED' });
    const [line] = await running.line(/.* verdict=refused .*/);
    expect(line).toContain(
      ' user="eve\\x1b]0;x\\x07 verdict=allowed" service=noop verdict=refused reason="user eve\\x1b]0;x\\x07 verdict=allowed from localhost',
    );
    await end(running);
  });
});

describeUnless(whyNoSandbox(), 'rx-amandad started as root', () => {
  it.each([[[]], [['-user=backup']]])(
    'is user backup, and can be nothing else, by the first connection, with %j',
    async (words) => {
      const running = await daemon('root', ...words);
      expect(await noop(running.port)).toBe(asBackup);
      const status = readFileSync(`/proc/${running.child.pid}/status`, 'utf8');
      expect(status).toMatch(/^Uid:\t34\t34\t34\t34$/m);
      expect(status).toMatch(/^Gid:\t34\t34\t34\t34$/m);
      expect(status).toMatch(/^CapPrm:\t0+$/m);
      await end(running);
    },
  );

  it('goes by the .amandahosts of the user that it becomes', async () => {
    const running = await daemon('root');
    sandbox.allow(['localhost backup sendsize']);
    await expect(noop(running.port)).rejects.toThrow(
      'Please add the line "localhost backup amdump" to /var/backups/.amandahosts on the client',
    );
    sandbox.allow(['localhost backup amdump']);
    expect(await noop(running.port)).toContain('uid=34');
    await end(running);
  });

  it('goes by the file that -amandahosts names, which must be of the user that it becomes', async () => {
    const rules = join(libexec, 'rules');
    writeFileSync(rules, 'localhost backup sendsize\n', { mode: 0o600 });
    const running = await daemon('root', `-amandahosts=${rules}`);
    await expect(noop(running.port)).rejects.toThrow(`cannot open ${rules}: Permission denied`);
    giveToBackup(rules);
    await expect(noop(running.port)).rejects.toThrow(
      `Please add the line "localhost backup amdump" to ${rules} on the client`,
    );
    writeFileSync(rules, 'localhost backup amdump\n');
    expect(await noop(running.port)).toContain('uid=34');
    await end(running);
  });

  it('listens on a port below 1024 while it is still root', async () => {
    const running = run(
      program,
      ['-no-exit', '-tcp=1001', '-listen=127.0.0.3', `-libexec=${libexec}`],
      { user: 'root' },
    );
    await running.line(/listening on 127\.0\.0\.3 port 1001$/);
    await end(running);
  });

  it('stays root only when told so', async () => {
    const running = await daemon('root', '-user=root');
    expect(readFileSync(`/proc/${running.child.pid}/status`, 'utf8')).toMatch(
      /^Uid:\t0\t0\t0\t0$/m,
    );
    await end(running);
  });

  it.each([
    ['root', '-user=nobody-here', 'There is no user nobody-here.'],
    ['backup', '-user=root', 'Only root can become another user, such as root.'],
  ] as const)('as %s with %s it does not start', async (user, word, sentence) => {
    const running = run(program, ['-no-exit', '-tcp=0', '-listen=127.0.0.1', word], { user });
    expect(await running.exit).toBe(2);
    expect(running.said).toEqual([`rx-amandad: ${sentence}`]);
  });
});

describeUnless(whyNoSandbox(), 'rx-amandad that is told to end', () => {
  it('lets a dump finish, takes nothing new, and ends with exit code 0', async () => {
    const running = await daemon('backup');
    const whole = await dump(running.port, async (connection) => {
      running.child.kill('SIGTERM');
      await running.line(/ stopping: what runs may take 30 s more$/);
      await expect(firstValueFrom(of(connection).pipe(request('noop')))).rejects.toMatchObject({
        message: 'amandad is being stopped and takes no new requests',
      });
      await expect(noop(running.port)).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
      letGo();
    });
    expect(whole).toBe('ab');
    expect(await running.exit).toBe(0);
    expect(running.said.join('\n')).toMatch(
      /service=sendbackup verdict=allowed outcome=completed sent=\d+ /,
    );
  });

  it('ends at once when told twice, and leaves no process behind', async () => {
    const running = await daemon('backup');
    const cut = dump(running.port, async () => {
      running.child.kill('SIGTERM');
      await running.line(/ stopping: /);
      running.child.kill('SIGINT');
    });
    await expect(cut).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(await running.exit).toBe(130);
    expect(isRunning(Number(readFileSync(join(libexec, 'sendbackup.pid'), 'utf8')))).toBe(false);
    expect(running.said.at(-1)).toMatch(
      /service=sendbackup verdict=allowed outcome=stopped seconds=/,
    );
  });

  it('ends what still runs when the time is over, by and by, and then with exit code 0', async () => {
    const running = await daemon('backup', '-grace=0');
    await expect(dump(running.port, () => running.child.kill('SIGTERM'))).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
    });
    expect(await running.exit).toBe(0);
    expect(isRunning(Number(readFileSync(join(libexec, 'sendbackup.pid'), 'utf8')))).toBe(false);
  });
});

describeUnless(
  whyNoSandbox() ?? missingPrograms(activator),
  'rx-amandad with a socket of systemd',
  () => {
    it.each([
      ['Accept=no', []],
      ['Accept=yes', ['--accept']],
      ['StandardInput=socket', ['--accept', '--inetd']],
    ])('%s: serves, and its services do not hear of it', async (_, words) => {
      const port = await freePort();
      const running = run(
        activator,
        [...words, '-l', `127.0.0.1:${port}`, program, `-libexec=${libexec}`, 'amdump'],
        { user: 'root' },
      );
      await running.line(/^Listening on /);
      for (let turn = 0; turn < 3; turn++) expect(await noop(port)).toBe(asBackup);
      await end(running);
    });

    it.each([
      ['Accept=no', []],
      ['Accept=yes', ['--accept']],
    ])('%s: serves ssl', async (_, words) => {
      const certificates = openCertificates(sandbox.etc);
      const ca = certificates.authority('ca');
      const sslDir = certificates.sslDir('here', ca, certificates.signed('me', ca));
      giveToBackup(sandbox.etc);
      const port = await freePort();
      const running = run(
        activator,
        [
          ...words,
          '-l',
          `127.0.0.1:${port}`,
          program,
          '-auth=ssl',
          `-ssl-dir=${sslDir}`,
          `-libexec=${libexec}`,
        ],
        { user: 'root' },
      );
      await running.line(/^Listening on /);
      const asked = connect(
        ssl({ host: 'localhost', port, user: 'backup', sslDir, onWarning: () => undefined }),
        { connectTries: 1 },
      );
      expect((await lastValueFrom(asked.pipe(request('noop')))).text).toBe(asBackup);
      await end(running);
    });

    it.each([
      [
        { LISTEN_FDS: '1', LISTEN_PID: '1' },
        /^rx-amandad: The socket in LISTEN_FDS is for process 1 \(LISTEN_PID\), and this is \d+: a script in between has to start this program with exec\.$/,
      ],
      [
        { LISTEN_FDS: '2' },
        /^rx-amandad: One socket is needed and LISTEN_FDS says 2: give the socket unit one ListenStream= alone\.$/,
      ],
      [
        { LISTEN_FDS: '1' },
        /^rx-amandad: Descriptor 3 is no TCP socket; a socket unit needs ListenStream= with a port\.$/,
      ],
    ])('says what is wrong with %j', async (environment, sentence) => {
      const running = run('/bin/sh', ['-c', 'LISTEN_PID=${LISTEN_PID:-$$} exec "$0"', program], {
        environment,
        stdio: ['ignore', 'ignore', 'pipe', 'ignore'],
      });
      expect(await running.exit).toBe(2);
      expect(running.said).toEqual([expect.stringMatching(sentence)]);
    });
  },
);

describeUnless(
  whyNoSandbox() ?? missingPrograms(activator),
  'rx-amandad from an inetd that has it wait',
  () => {
    /**
     * Starts an inetd that becomes the program at the first connection; with the port, and what
     * each noop says of who answered.
     */
    async function waiting(...words: readonly string[]) {
      const port = await freePort();
      const running = run(
        activator,
        ['--inetd', '-l', `127.0.0.1:${port}`, program, `-libexec=${libexec}`, ...words, 'amdump'],
        { user: 'root' },
      );
      await running.line(/^Listening on /);
      return { ...running, port };
    }

    it('takes any number of connections, and ends with exit code 0 when there has been none for a time', async () => {
      const running = await waiting('-linger=1');
      const texts = await lastValueFrom(
        from(Array.from({ length: 50 })).pipe(
          mergeMap(() => noop(running.port)),
          toArray(),
        ),
      );
      expect(texts).toEqual(Array.from({ length: 50 }, () => asBackup));
      await expect(dump(running.port, () => setTimeout(letGo, 1_500))).resolves.toBe('ab');
      expect(await noop(running.port)).toBe(asBackup);
      expect(await running.exit).toBe(0);
      expect(running.said.filter((line) => / request /.test(line))).toHaveLength(52);
    });

    it('says in one sentence that a connection was reset before it was there, which looks like no connection', async () => {
      const ended = new Promise<Running>((resolve) => {
        const server = createServer({ pauseOnConnect: true }, (socket) => {
          socket.on('error', () => undefined);
          client.resetAndDestroy();
          client.once('close', () => {
            resolve(
              run(program, ['-user=backup'], { user: 'root', stdio: [socket, socket, 'pipe'] }),
            );
            server.close();
          });
        });
        const client = new Socket();
        server.listen(0, '127.0.0.1', () =>
          client.connect((server.address() as AddressInfo).port, '127.0.0.1'),
        );
      });
      const running = await ended;
      expect(await running.exit).toBe(2);
      expect(running.said).toEqual([
        'rx-amandad: Descriptor 0 is neither a TCP connection nor listens for any: listen EINVAL: invalid argument.',
      ]);
    });

    it('with -no-exit goes on', async () => {
      const running = await waiting('-linger=1', '-no-exit');
      expect(await noop(running.port)).toBe(asBackup);
      await new Promise((resolve) => {
        setTimeout(resolve, 1_500);
      });
      expect(await noop(running.port)).toBe(asBackup);
      await end(running);
    });

    it('is told to end like a daemon: what runs is finished', async () => {
      const running = await waiting();
      const whole = await dump(running.port, () => {
        running.child.kill('SIGTERM');
        letGo();
      });
      expect(whole).toBe('ab');
      expect(await running.exit).toBe(0);
    });
  },
);

describeUnless(
  whyNoSandbox(),
  'rx-amandad from an inetd that puts the connection on standard error too',
  () => {
    it('writes nothing there but frames, even with -debug', async () => {
      const server = createServer({ pauseOnConnect: true }, (socket) => {
        run(program, ['-debug', '-user=backup', `-libexec=${libexec}`, 'amdump', 'bogus'], {
          user: 'root',
          stdio: [socket, socket, socket],
        });
        socket.destroy();
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      await expect(noop(port)).rejects.toMatchObject({
        code: 'REFUSED',
        message: "invalid 'bogus' service as argument to amandad",
      });
      server.close();
    });
  },
);

describe('the files for systemd and xinetd', () => {
  const file = (name: string): string => new URL(`../../system/${name}`, import.meta.url).pathname;

  it('xinetd: is that of Debian with our program', () => {
    const lines = (text: string): readonly string[] =>
      text
        .split('\n')
        .flatMap((line) => (/^\s*(#.*)?$/.test(line) ? [] : [line.trim().replace(/\s+/g, ' ')]));
    expect(lines(readFileSync(file('xinetd-rx-amandad'), 'utf8'))).toEqual([
      'service amanda',
      '{',
      'disable = no',
      'flags = IPv4',
      'socket_type = stream',
      'protocol = tcp',
      'wait = no',
      'user = backup',
      'group = disk',
      'groups = yes',
      'server = /usr/local/bin/rx-amandad',
      'server_args = -auth=bsdtcp amdump amindexd amidxtaped senddiscover',
      '}',
    ]);
  });

  describeUnless(missingPrograms('/usr/bin/systemd-analyze'), 'systemd', () => {
    it.each(['rx-amandad.socket', 'rx-amandad.service', 'rx-amandad@.service'])(
      'accepts %s',
      (name) => {
        expect(verify(file(name))).toEqual([]);
      },
    );
  });
});

/** What systemd has to say of a unit, but for what is not installed on this machine. */
function verify(unit: string): readonly string[] {
  const said = execFileSync(
    '/bin/sh',
    ['-c', '/usr/bin/systemd-analyze verify --man=no "$0" 2>&1 || true', unit],
    { encoding: 'utf8' },
  );
  return said
    .split('\n')
    .filter((line) => line.includes('rx-amandad') && !/is not executable|not found/.test(line));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
