import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstValueFrom, lastValueFrom, of, throwError } from 'rxjs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { NameResolver } from '../../src/access/resolver.js';
import { connect } from '../../src/initiator/connect.js';
import type { Driver } from '../../src/drivers/driver.js';
import { throughCommand } from '../../src/drivers/command.js';
import { sshPeer } from '../../src/drivers/ssh-peer.js';
import { ssh, type SshOptions } from '../../src/drivers/ssh.js';
import { request, type Reply } from '../../src/exchange/request.js';
import { describeUnless } from '../support/skips.js';
import { makeKey, startSshd, whyNoSshd, type Sshd } from '../support/sshd.js';

const rxAmandad = fileURLToPath(new URL('../../dist/bin/rx-amandad.cjs', import.meta.url));

function ask(driver: Driver): Promise<Reply> {
  return lastValueFrom(connect(driver, { connectTries: 1 }).pipe(request('noop')));
}

/** A folder for the test that runs. */
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'rx-amanda-ssh-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

/** An executable in a folder of its own. */
function script(text: string): string {
  const path = join(folder(), 'program');
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

/** Whether a process runs, and is no zombie. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The words that a stand-in for ssh is given. */
async function wordsFor(options: SshOptions): Promise<readonly string[]> {
  const file = join(folder(), 'words');
  await expect(
    ask(ssh({ ...options, command: script(`for word; do echo "$word"; done >${file}`) })),
  ).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  return readFileSync(file, 'utf8').trimEnd().split('\n');
}

describe('ssh', () => {
  test('is started as Amanda starts it, for user backup', async () => {
    const words =
      '-x -o BatchMode=yes -o ControlMaster=no -l backup -o ConnectTimeout=20 -- db1 /usr/lib/amanda/amandad -auth=ssh';
    expect(await wordsFor({ host: 'db1' })).toEqual(words.split(' '));
  });

  test('is told user, port, key, further options and the path of amandad', async () => {
    const words =
      '-x -o BatchMode=yes -o ControlMaster=no -l amanda -p 2222 -i /k -J gate -o ConnectTimeout=2 -- db1 /opt/amandad -auth=ssh';
    expect(
      await wordsFor({
        ...{
          host: 'db1',
          clientUsername: 'amanda',
          port: 2222,
          keyFile: '/k',
          sshOptions: ['-J', 'gate'],
        },
        ...{ connectTimeout: 1_001, amandadPath: '/opt/amandad' },
      }),
    ).toEqual(words.split(' '));
  });

  test.each<Partial<SshOptions>>([
    { host: '-oProxyCommand=touch x' },
    { host: '' },
    { host: 'a b' },
    { host: 'a`b`' },
    { host: 'a\0' },
    { clientUsername: '-x' },
    { clientUsername: 'a;b' },
    { amandadPath: '-x' },
    { amandadPath: ' ' },
    { amandadPath: 'a\nb' },
    { port: 0 },
    { port: 65_536 },
  ])('refuses %j', (options) => {
    expect(() => ssh({ host: 'db1', ...options })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    );
  });

  test.each([
    [
      'Connection timed out during banner exchange',
      /says nothing as an SSH server does: check the port/,
    ],
    [
      'ssh: connect to host db1 port 22: Connection timed out',
      /The host cannot be reached: is it up/,
    ],
  ])('has advice for an ssh that has waited long enough, saying %s', async (said, advice) => {
    await expect(
      ask(ssh({ host: 'db1', command: script(`echo "${said}" >&2; exit 255`) })),
    ).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringMatching(advice) as string,
    });
  });

  test('says that there is no ssh, or none to run', async () => {
    await expect(ask(ssh({ host: 'db1', command: '/nonexistent/ssh' }))).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message:
        'Cannot start /nonexistent/ssh: spawn /nonexistent/ssh ENOENT. Is it installed, and is this its path?',
    });
    await expect(ask(ssh({ host: 'db1', command: '/etc/passwd' }))).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message:
        'Cannot start /etc/passwd: spawn /etc/passwd EACCES. Is it a program, and may this user run it?',
    });
    await expect(ask(ssh({ host: 'db1', command: 'a\0b' }))).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
    });
  });

  test('shows the end of a long complaint, which has the reason', async () => {
    const command = script(
      'yes "A line of a banner." | head -c 100000 >&2; echo "Permission denied (publickey)." >&2; exit 255',
    );
    await expect(ask(ssh({ host: 'db1', command }))).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      peer: 'db1',
      message: expect.stringMatching(
        /^.* to db1 ended with exit code 255, saying: .{900,1000}; Permission denied \(publickey\)\. No key was accepted\. /,
      ) as string,
    });
  });

  test('gives no advice for a connection that broke in the middle', async () => {
    const command = script(
      'echo "Read from remote host db1: Connection reset by peer" >&2; exit 255',
    );
    await expect(ask(ssh({ host: 'db1', command }))).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringMatching(
        /saying: Read from remote host db1: Connection reset by peer\.$/,
      ) as string,
    });
  });

  test('takes a banner for none of its business when amandad has just closed', async () => {
    await expect(
      ask(ssh({ host: 'db1', command: script('echo "Authorized users only." >&2') })),
    ).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  test.each([
    ['Hi\n', '"Hi\\n"'],
    ['\n', '"\\n"'],
    ['Welcome to db1!\n', '"Welcome to db1!\\n"'],
  ])('shows the text of a noisy login profile, %j, and says what to do', async (text, shown) => {
    const escaped = text.replace('\n', '\\n');
    // The ACK is there only for what the text is in front of.
    const command = script(
      `printf '${escaped}'; printf '\\000\\000\\000\\002\\000\\000\\000\\001\\003\\000'; cat >/dev/null`,
    );
    await expect(ask(ssh({ host: 'db1', command }))).rejects.toMatchObject({
      code: 'TEXT_IN_CHANNEL',
      message: expect.stringContaining(
        `There is text where Amanda frames were expected: ${shown}. Usually a login profile`,
      ) as string,
    });
  });

  test('shows a text that came in pieces, and one after which nothing came', async () => {
    const pieces = script(
      `printf H; read x <&0; cat >/dev/null & printf 'i!\\n'; printf '\\000\\000\\000\\002\\000\\000'; wait`,
    );
    await expect(ask(ssh({ host: 'db1', command: pieces }))).rejects.toMatchObject({
      code: 'TEXT_IN_CHANNEL',
      message: expect.stringContaining('"Hi!\\n"') as string,
    });
    await expect(
      ask(ssh({ host: 'db1', command: script(`head -c 8 >/dev/null; printf 'Bye\\n'`) })),
    ).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringMatching(/"Bye\\n"\. Usually a login profile/) as string,
    });
  });

  test('says that the login shell refuses', async () => {
    await expect(
      ask(
        ssh({
          host: 'db1',
          command: script('echo This account is currently not available.; exit 1'),
        }),
      ),
    ).rejects.toMatchObject({
      code: 'TEXT_IN_CHANNEL',
      message: expect.stringMatching(
        /not available\.\\n"\. The login shell of that user refuses/,
      ) as string,
    });
  });

  test('is ended, with the processes that it has started, when the attempt or the connection is cancelled', async () => {
    const file = join(folder(), 'pids');
    const command = script(`sleep 1000 & echo $$ $! >${file}; wait`);
    const subscription = connect(ssh({ host: 'db1', command }))
      .pipe(request('noop'))
      .subscribe();
    const pids = await vi.waitFor(() => {
      const words = readFileSync(file, 'utf8').trim().split(' ').map(Number);
      expect(words).toHaveLength(2);
      return words;
    });
    subscription.unsubscribe();
    await vi.waitFor(() => {
      expect(pids.filter(runs)).toEqual([]);
    });
  });
});

describeUnless(whyNoSshd(), 'the real ssh', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.close());

  const failure = (message: RegExp) => ({
    code: 'COMMAND_FAILED',
    peer: '127.0.0.1',
    message: expect.stringMatching(message) as string,
  });

  test('reaches rx-amandad, which learns from sshd who asks', async () => {
    const seen = join(sshd.directory, 'log');
    // As root it would become backup, who may not write here.
    const stay = process.getuid?.() === 0 ? '-user=root' : '';
    const driver = ssh({
      ...sshd.login,
      amandadPath: `'${process.execPath}' '${rxAmandad}' -own ${stay} -log=${seen}`,
    });
    expect((await ask(driver)).text).toMatch(/^OPTIONS features=/);
    await vi.waitFor(() => {
      expect(readFileSync(seen, 'utf8')).toMatch(
        / host=localhost .*service=noop .*verdict=allowed/,
      );
    });
  });

  test('says that the key is refused', async () => {
    const keyFile = join(sshd.directory, 'stranger');
    makeKey(keyFile);
    await expect(ask(ssh({ ...sshd.login, keyFile }))).rejects.toMatchObject(
      failure(
        /^ssh to 127.0.0.1 ended with exit code 255, saying: .*Permission denied \(publickey\)\. No key was accepted\. Put the public key into /,
      ),
    );
  });

  test('says that the key file is not there, or is open to others', async () => {
    await expect(ask(ssh({ ...sshd.login, keyFile: '/nonexistent/key' }))).rejects.toMatchObject(
      failure(/The key file \(ssh-keys\) is not there/),
    );
    const keyFile = join(sshd.directory, 'open');
    copyFileSync(join(sshd.directory, 'id'), keyFile);
    chmodSync(keyFile, 0o644);
    await expect(ask(ssh({ ...sshd.login, keyFile }))).rejects.toMatchObject(
      failure(/chmod 600 it\./),
    );
  });

  test('says that nothing listens', async () => {
    const gone = await startSshd();
    await gone.close();
    await expect(ask(ssh({ ...sshd.login, port: gone.port }))).rejects.toMatchObject(
      failure(/Connection refused. Nothing listens there: does sshd run/),
    );
  });

  test('says that the host key is not known, or has changed', async () => {
    const other = join(sshd.directory, 'other_hosts');
    const sshOptions = [...(sshd.login.sshOptions ?? []), '-o', `UserKnownHostsFile=${other}`];
    writeFileSync(other, '');
    await expect(
      ask(ssh({ ...sshd.login, sshOptions: ['-o', `UserKnownHostsFile=${other}`, ...sshOptions] })),
    ).rejects.toMatchObject(
      failure(/Its host key is not known here: log in to 127.0.0.1 once by hand/),
    );
    const key = join(sshd.directory, 'otherhost');
    makeKey(key);
    writeFileSync(other, `[127.0.0.1]:${sshd.port} ${readFileSync(`${key}.pub`, 'utf8')}`);
    await expect(ask(ssh({ ...sshd.login, sshOptions }))).rejects.toMatchObject(
      failure(/Another host answers than before/),
    );
  });

  test('says that something else than sshd answers', async () => {
    const server = createServer((socket) =>
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(ask(ssh({ ...sshd.login, port }))).rejects.toMatchObject(
      failure(/Something else than an SSH server answers there/),
    );
    server.close();
  });

  test('says that the host name is not known', async () => {
    await expect(ask(ssh({ ...sshd.login, host: 'no-such-host.invalid' }))).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringMatching(/The name of the host is not known/) as string,
    });
  });

  test('says that amandad is missing, or may not be executed', async () => {
    await expect(
      ask(ssh({ ...sshd.login, amandadPath: '/nonexistent/amandad' })),
    ).rejects.toMatchObject(
      failure(
        /^ssh to 127.0.0.1 ended with exit code 127, saying: .* There is no \/nonexistent\/amandad on 127.0.0.1: is Amanda's client installed there/,
      ),
    );
    await expect(ask(ssh({ ...sshd.login, amandadPath: '/etc/passwd' }))).rejects.toMatchObject(
      failure(/exit code 126, .*may not execute it/),
    );
  });

  test('leaves no ssh behind when it is cancelled', async () => {
    const file = join(sshd.directory, 'pid');
    const command = script(`echo $$ >${file}; exec ssh "$@"`);
    const connection = connect(
      ssh({ ...sshd.login, command, amandadPath: `'${process.execPath}' '${rxAmandad}'` }),
    );
    await firstValueFrom(connection.pipe(request('noop')));
    const pid = Number(readFileSync(file, 'utf8'));
    await vi.waitFor(() => {
      expect(runs(pid)).toBe(false);
    });
  });
});

describe('rx-amandad -auth=ssh', () => {
  /** Started by a program that is not sshd, with an environment of one variable. */
  const started = (connection?: string): Driver => ({
    name: 'ssh',
    user: undefined,
    open: (options) =>
      throughCommand(
        {
          program: process.execPath,
          args: [rxAmandad, '-auth=ssh', '-own'],
          env: connection === undefined ? {} : { SSH_CONNECTION: connection },
        },
        { driver: 'ssh' },
        options,
      ),
  });

  test('refuses with a NAK when SSH_CONNECTION does not say who asks', async () => {
    await expect(ask(started())).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining(
        'SSH_CONNECTION is not set: auth ssh is for an amandad that sshd starts',
      ) as string,
    });
    await expect(ask(started('10.0.0.1'))).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining(
        'SSH_CONNECTION does not begin with an address and a blank',
      ) as string,
    });
  });

  test('serves when it has an address, and when it has a word that is none', async () => {
    for (const connection of ['127.0.0.1 50000 127.0.0.1 22', 'UNKNOWN 65535 UNKNOWN 65535']) {
      expect((await ask(started(connection))).text).toMatch(/^OPTIONS features=/);
    }
  });
});

describe('the peer in SSH_CONNECTION', () => {
  const knowing = (name: string | undefined, address = '10.0.0.7'): NameResolver => ({
    nameOf: () => of(name),
    addressesOf: () => of([address]),
    canonicalOf: (asked) => of(asked),
  });
  const peer = (resolver: NameResolver, connection = '10.0.0.7 50000 10.0.0.1 22') =>
    firstValueFrom(sshPeer(connection, { resolver }));

  test('has a name that leads back to its address', async () => {
    const expected = { driver: 'ssh', address: '10.0.0.7', port: 50_000, host: 'db1.lab' };
    expect(await peer(knowing('db1.lab'))).toEqual({ kind: 'peer', peer: expected });
    expect(await peer(knowing('db1.lab'), '::ffff:10.0.0.7 50000 ::1 22')).toEqual({
      kind: 'peer',
      peer: expected,
    });
  });

  test('has no name when that is not to be had, or belongs to another user', async () => {
    const expected = { kind: 'peer', peer: { driver: 'ssh', address: '10.0.0.7', port: 50_000 } };
    const broken: NameResolver = {
      ...knowing('x'),
      nameOf: () => throwError(() => new Error('EAI_AGAIN')),
    };
    for (const resolver of [knowing(undefined), knowing('db1.lab', '10.0.0.8'), broken])
      expect(await peer(resolver)).toEqual(expected);
  });

  test('is refused when there is no first word', async () => {
    for (const connection of ['', ' 10.0.0.7', '10.0.0.7'])
      expect(await peer(knowing('x'), connection)).toMatchObject({ kind: 'refused' });
    expect(await firstValueFrom(sshPeer(undefined))).toMatchObject({ kind: 'refused' });
  });
});
