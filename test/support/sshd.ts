import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { SshOptions } from '../../src/drivers/ssh.js';
import { missingPrograms } from './skips.js';

const SSHD = '/usr/sbin/sshd';

/**
 * Why no sshd of a test's own can be started here, as the end of a sentence; undefined when one
 * can.
 */
export function whyNoSshd(): string | undefined {
  return missingPrograms(SSHD, '/usr/bin/ssh', '/usr/bin/ssh-keygen');
}

/**
 * An sshd on a free port of 127.0.0.1, with keys of its own, into which the user of this process
 * can log in.
 */
export interface Sshd {
  readonly port: number;
  /** Holds the keys and configurations; removed by {@link close}. */
  readonly directory: string;
  /** What our driver takes to get in, with nothing of the user's own configuration. */
  readonly login: Pick<SshOptions, 'host' | 'port' | 'clientUsername' | 'keyFile' | 'sshOptions'>;
  /** What it has said so far, for the message of a failing test. */
  messages(): string;
  /** Ends it and its sessions, and removes its files. */
  close(): Promise<void>;
}

export interface SshdOptions {
  /** Further lines for sshd_config. */
  readonly config?: readonly string[];
}

/**
 * Starts one. Each connection gets an sshd that holds its socket, so that there is no port to be
 * guessed and no daemon to be found.
 */
export async function startSshd({ config = [] }: SshdOptions = {}): Promise<Sshd> {
  const directory = mkdtempSync(join(tmpdir(), 'rx-amanda-sshd-'));
  const at = (name: string): string => join(directory, name);
  const keys = writeSshFiles(directory, { authorizedKeys: at('authorized_keys'), config });
  const children = new Set<ChildProcess>();
  const messages: string[] = [];
  // Paused, so that no byte is read here that sshd is to read.
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn(SSHD, sshdWords(directory), { stdio: [socket, socket, 'pipe'], cwd: '/' });
    children.add(child);
    child.on('close', () => children.delete(child));
    child.stderr?.on('data', (chunk: Buffer) => messages.push(chunk.toString()));
    letGo(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  writeFileSync(at('authorized_keys'), keys.userKey, { mode: 0o600 });
  writeFileSync(at('known_hosts'), `[127.0.0.1]:${port} ${keys.hostKey}`);
  writeFileSync(
    at('ssh_config'),
    `IdentitiesOnly yes\nStrictHostKeyChecking yes\nUserKnownHostsFile ${at('known_hosts')}\nGlobalKnownHostsFile none\n`,
  );
  return {
    port,
    directory,
    login: {
      host: '127.0.0.1',
      port,
      clientUsername: userInfo().username,
      keyFile: at('id'),
      sshOptions: ['-F', at('ssh_config')],
    },
    messages: () => messages.join(''),
    async close() {
      server.close();
      await Promise.all([...children].map(ended));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** What an sshd's one connection is served by: the socket is its standard input and output. */
export function sshdWords(directory: string): readonly string[] {
  return ['-i', '-e', '-f', join(directory, 'sshd_config')];
}

export interface SshKeys {
  /** The line of the public key that may log in, whose private half is in the file `id`. */
  readonly userKey: string;
  /** The public key of the host, as known_hosts has it after the host's name. */
  readonly hostKey: string;
}

/** Writes sshd_config, the host's key and a user's key `id` into a folder. */
export function writeSshFiles(
  directory: string,
  { authorizedKeys, config = [] }: { authorizedKeys: string; config?: readonly string[] },
): SshKeys {
  const at = (name: string): string => join(directory, name);
  // Root's sshd has its unprivileged half live there.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  for (const name of ['host', 'id']) makeKey(at(name));
  const lines = [
    `HostKey ${at('host')}`,
    `AuthorizedKeysFile ${authorizedKeys}`,
    'PidFile none',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    // It refuses a folder that others can write into, anywhere on the path, and /tmp is one.
    'StrictModes no',
    ...config,
  ];
  writeFileSync(at('sshd_config'), `${lines.join('\n')}\n`);
  chmodSync(at('sshd_config'), 0o644);
  const [kind = '', key = ''] = readFileSync(at('host.pub'), 'utf8').split(' ');
  return { userKey: readFileSync(at('id.pub'), 'utf8'), hostKey: `${kind} ${key}\n` };
}

/** Makes a key pair, without a passphrase: FILE and FILE.pub. */
export function makeKey(file: string): void {
  const { status, stderr } = spawnSync(
    'ssh-keygen',
    ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`ssh-keygen: ${stderr}`);
}

/** The child has its own copy of the descriptor by now; ours must not keep the connection open. */
function letGo(socket: Socket): void {
  socket.on('error', () => undefined).destroy();
}

/** The session ends with the sshd that holds its socket, and what it started with the session. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
