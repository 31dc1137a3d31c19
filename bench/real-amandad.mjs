/**
 * The real amandad of Debian's amanda-client, for comparison.
 * It runs in its own mount namespace with a private .amandahosts and private state and log folders.
 * systemd-socket-activate forks a process for each connection, as inetd does.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { end } from './processes.mjs';

export const AMANDAD = '/usr/lib/amanda/amandad';
const PLACES = {
  home: '/var/backups',
  etc: '/etc/amanda',
  lib: '/var/lib/amanda',
  log: '/var/log/amanda',
};
const SPAWNER = '/usr/bin/systemd-socket-activate';

/** Why the real amandad cannot be run here; undefined when it can. */
export function whyNoRealAmandad() {
  if (process.getuid?.() !== 0) return 'not run as root';
  const missing = [AMANDAD, SPAWNER, ...Object.values(PLACES)].find((path) => !existsSync(path));
  if (missing !== undefined)
    return `${missing} is missing (npm test as root on Debian installs it)`;
  const closed = closedFolder(dirname(fileURLToPath(import.meta.url)));
  return closed === undefined
    ? undefined
    : `user backup, who runs both, cannot enter ${closed} (chmod o+x)`;
}

/** The first folder on the path that only its owner or group may enter. */
function closedFolder(folder) {
  const parent = dirname(folder);
  return (
    (parent === folder ? undefined : closedFolder(parent)) ??
    ((statSync(folder).mode & 0o001) === 0 ? folder : undefined)
  );
}

/**
 * Starts a command for each connection to a port. With `waits` it starts once and gets the
 * listening socket. Resolves to the port and how to end it.
 * `user` is the account that runs the command.
 */
export async function forkingTarget({
  command = [AMANDAD, '-auth=bsdtcp', 'amdump'],
  user = 'backup',
  waits = false,
} = {}) {
  const folder = makeFolders();
  const port = await freePort();
  const surroundings = ['-E', 'HOME=/var/backups', '-E', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
  const words = [
    SPAWNER,
    ...(waits ? [] : ['--accept']),
    '--inetd',
    '-l',
    `127.0.0.1:${port}`,
    ...surroundings,
    ...command,
  ];
  const child = spawn('unshare', inside(folder, user, words), {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: '/',
  });
  await said(child, 'Listening on');
  return {
    port,
    pid: child.pid,
    close: async () => {
      await end(child);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
}

/**
 * Starts `bench/peers/NAME.mjs` as Amanda's user among the same private folders.
 * Amanda's executables run for no other user, and they write logs.
 */
export function privatePeer(name, ...words) {
  const folder = makeFolders();
  const program = [
    process.execPath,
    fileURLToPath(new URL(`peers/${name}.mjs`, import.meta.url)),
    ...words,
  ];
  const child = spawn('unshare', inside(folder, 'backup', program), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    cwd: '/',
  });
  return child.once('exit', () =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }),
  );
}

function makeFolders() {
  const folder = mkdtempSync('/tmp/rx-amanda-bench-');
  for (const name of Object.keys(PLACES)) mkdirSync(join(folder, name));
  mkdirSync(join(folder, 'lib/gnutar-lists'));
  writeFileSync(join(folder, 'lib/amandates'), '');
  writeFileSync(
    join(folder, 'home/.amandahosts'),
    ['backup', 'root'].map((user) => `localhost ${user} amdump\n`).join(''),
  );
  chmodSync(join(folder, 'home/.amandahosts'), 0o600);
  execFileSync('chown', ['-R', 'backup:backup', folder]);
  chmodSync(folder, 0o755);
  return folder;
}

function inside(folder, user, words) {
  const mounts = Object.entries(PLACES).map(
    ([name, place]) => `mount --bind ${join(folder, name)} ${place}`,
  );
  const become =
    user === 'root' ? [] : ['setpriv', '--reuid', user, '--regid', user, '--init-groups', '--'];
  return [
    '--mount',
    '--propagation',
    'private',
    '/bin/sh',
    '-c',
    `${mounts.join(' && ')} && exec "$@"`,
    'sh',
    ...become,
    ...words,
  ];
}

/** A port that was free just now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function said(child, words) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (chunk) => {
      text = (text + chunk).slice(-4_096);
      if (text.includes(words)) resolve();
    });
    child.once('exit', (code, signal) =>
      reject(new Error(`${child.spawnfile} ended with ${signal ?? code}: ${text}`)),
    );
  });
}

/** A connection from a reserved port, which amandad requires: the ports from 1023 down, in turn. */
export function connectReserved(port) {
  return new Promise((resolve, reject) => {
    const attempt = (left) => {
      nextReserved = nextReserved <= 512 ? 1023 : nextReserved - 1;
      const socket = connect({
        host: '127.0.0.1',
        port,
        localAddress: '127.0.0.1',
        localPort: nextReserved,
      });
      socket.once('connect', () => resolve(socket.setNoDelay(true)));
      socket.once('error', (error) => {
        if (left > 0 && ['EADDRINUSE', 'EADDRNOTAVAIL'].includes(error.code)) attempt(left - 1);
        else reject(error);
      });
    };
    attempt(512);
  });
}
let nextReserved = 1023;
