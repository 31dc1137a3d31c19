import { type ChildProcess, spawn, spawnSync, type StdioOptions } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Who runs a program: Amanda's own user, or root. */
export type User = 'backup' | 'root';

/**
 * Where Amanda 3.5.1 looks, as Debian compiles it, and the folder of a sandbox that stands there.
 */
const places = {
  home: '/var/backups',
  etc: '/etc/amanda',
  lib: '/var/lib/amanda',
  log: '/var/log/amanda',
} as const;

/**
 * A private machine for the real programs. Its programs see private folders in the places of
 * Amanda's home, configurations, state and logs, by bind mounts in a mount namespace. Nothing of
 * the real machine is read or changed there. Only programs that are started through {@link start}
 * are inside. Needs root.
 */
export interface Sandbox {
  /** Holds everything; readable by all. Removed by {@link close}. */
  readonly directory: string;
  /** The folders that stand at {@link places}; owned by backup. */
  readonly home: string;
  readonly etc: string;
  readonly lib: string;
  readonly log: string;
  /** Writes `.amandahosts`: who may ask for what. Default encoding UTF-8. */
  allow(lines: readonly string[], encoding?: BufferEncoding): void;
  /** Starts a program inside, as the leader of its own process group. */
  start(command: string, args: readonly string[], options?: StartOptions): ChildProcess;
  /**
   * Writes an executable that runs a program inside, with the arguments it gets: for programs that
   * start others by a path.
   */
  door(name: string, command: string, user?: User): string;
  /** Runs a program inside to its end, or to its timeout. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /**
   * What the programs wrote to their logs, newest program last; for the message of a failing test.
   */
  logs(): string;
  /** Ends what was started inside and is still there, and removes the folders. */
  close(): void;
}

export interface StartOptions {
  /** Default `backup`. */
  readonly user?: User;
  /** As the program sees it; default the user's home. */
  readonly cwd?: string;
  /** Added to HOME, PATH, USER and LOGNAME, which are all that a program gets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** As of `spawn`; default: no input, output and messages through pipes. */
  readonly stdio?: StdioOptions;
}

export interface RunOptions extends Omit<StartOptions, 'stdio'> {
  /** What the program reads; default nothing. */
  readonly input?: string | Uint8Array;
  /** Milliseconds after which its process group is killed; default 30,000. */
  readonly timeout?: number;
}

export interface RunResult {
  readonly stdout: string;
  /** The same as bytes. */
  readonly output: Buffer;
  readonly stderr: string;
  /** The exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly timedOut: boolean;
}

/**
 * The lines of `.amandahosts` that a sandbox begins with: backup and root of this host may ask for
 * everything.
 */
export const everyone = ['backup', 'root'].map(
  (user) =>
    `localhost ${user} noop selfcheck sendsize sendbackup senddiscover restore amindexd amidxtaped amdumpd ambackupd`,
);

/** Why no sandbox can be made here; undefined when one can. */
export function whyNoSandbox(): string | undefined {
  if (process.getuid?.() !== 0) return 'not run as root';
  const missing = Object.values(places).find((place) => !existsSync(place));
  if (missing !== undefined) return `${missing} is missing`;
  const { status, stderr } = spawnSync(
    'unshare',
    ['--mount', '--propagation', 'private', 'mount', '--bind', '/tmp', '/tmp'],
    { encoding: 'utf8' },
  );
  return status === 0 ? undefined : `no private mounts are possible (${stderr.trim()})`;
}

/** Not where TMPDIR says: user backup must be able to get there. */
const PREFIX = '/tmp/rx-amanda-';

/** Makes a sandbox under /tmp. */
export function openSandbox(): Sandbox {
  const directory = mkdtempSync(PREFIX);
  chmodSync(directory, 0o755);
  const folders = {
    home: join(directory, 'home'),
    etc: join(directory, 'etc'),
    lib: join(directory, 'lib'),
    log: join(directory, 'log'),
  };
  mkdirSync(join(folders.lib, 'gnutar-lists'), { recursive: true });
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  writeFileSync(join(folders.lib, 'amandates'), '');
  giveToBackup(directory);
  chownSync(directory, 0, 0);

  const children = new Set<ChildProcess>();
  const sandbox: Sandbox = {
    directory,
    ...folders,
    allow(lines, encoding = 'utf8') {
      const file = join(folders.home, '.amandahosts');
      writeFileSync(file, lines.map((line) => `${line}\n`).join(''), encoding);
      chmodSync(file, 0o600);
      giveToBackup(file);
    },
    start(command, args, { user = 'backup', cwd, environment, stdio } = {}) {
      const home = user === 'root' ? '/root' : places.home;
      const [program, ...words] = inside(folders, user, cwd ?? home, [command, ...args]);
      const child = spawn(program, words, {
        cwd: '/',
        stdio: stdio ?? ['ignore', 'pipe', 'pipe'],
        detached: true,
        env: {
          HOME: home,
          PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
          USER: user,
          LOGNAME: user,
          ...environment,
        },
      });
      keepWhileAlive(children, child);
      return child;
    },
    door(name, command, user = 'backup') {
      const path = join(directory, name);
      const home = user === 'root' ? '/root' : places.home;
      const words = [
        'env',
        '-i',
        `HOME=${home}`,
        'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
        `USER=${user}`,
        `LOGNAME=${user}`,
        ...inside(folders, user, home, [command]),
      ];
      writeFileSync(path, `#!/bin/sh\nexec ${words.map(shellQuoted).join(' ')} "$@"\n`, {
        mode: 0o755,
      });
      return path;
    },
    run: (command, args, options = {}) =>
      finished(
        sandbox.start(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] }),
        options,
      ),
    logs: () => readLogs(folders.log),
    close() {
      for (const child of children) killGroup(child);
      rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
  sandbox.allow(everyone);
  return sandbox;
}

/** Gives a file or a folder with all it holds to backup; links are not followed. */
export function giveToBackup(path: string): void {
  lchownSync(path, BACKUP_ID, BACKUP_ID);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) giveToBackup(join(path, name));
}

/** Debian's fixed number of the user and of the group. */
const BACKUP_ID = 34;

/**
 * Keeps a child in the set while its process group has a process. The number of an ended group may
 * be given to another one.
 */
export function keepWhileAlive(children: Set<ChildProcess>, child: ChildProcess): void {
  children.add(child);
  child.on('exit', () => {
    if (!hasGroup(child)) children.delete(child);
  });
}

function hasGroup({ pid }: ChildProcess): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, 0);
  } catch {
    return false;
  }
}

/** Kills what is left of the process group that a child was made the leader of. */
export function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has no process.
  }
}

/**
 * The mounts are made by a shell that then becomes the program, so that the program has the number
 * and the descriptors of the child.
 */
const enterScript = `
home=$1 etc=$2 lib=$3 log=$4 cwd=$5; shift 5
mount --bind "$home" ${places.home} && mount --bind "$etc" ${places.etc} && mount --bind "$lib" ${places.lib} && mount --bind "$log" ${places.log} || exit 125
cd "$cwd" && exec "$@"`;

function inside(
  folders: Pick<Sandbox, keyof typeof places>,
  user: User,
  cwd: string,
  command: readonly string[],
): readonly [string, ...string[]] {
  const enter = [
    '--mount',
    '--propagation',
    'private',
    '/bin/sh',
    '-c',
    enterScript,
    'sh',
    folders.home,
    folders.etc,
    folders.lib,
    folders.log,
    cwd,
  ];
  const become =
    user === 'root' ? [] : ['setpriv', '--reuid', user, '--regid', user, '--init-groups', '--'];
  return ['unshare', ...enter, ...become, ...command];
}

function shellQuoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function finished(
  child: ChildProcess,
  { input, timeout = 30_000 }: RunOptions,
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const output: Buffer[] = [];
    const messages: Buffer[] = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child);
    }, timeout);
    child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => messages.push(chunk));
    // A program that does not read its input to the end is no failure.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      const bytes = Buffer.concat(output);
      resolve({
        stdout: bytes.toString(),
        output: bytes,
        stderr: Buffer.concat(messages).toString(),
        code,
        timedOut,
      });
    });
  });
}

function readLogs(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return files
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => `== ${file.slice(folder.length + 1)}\n${readFileSync(file, 'utf8')}`)
    .join('\n');
}
