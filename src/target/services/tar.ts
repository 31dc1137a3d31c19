import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { keepUnread } from '../process/keep-unread.js';
import type { DumpRequest } from './dump-request.js';

/** A tar that makes a dump. */
export interface Dumper {
  readonly child: ChildProcess;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** What its end says; undefined when all is well. */
  readonly exit: Promise<string | undefined>;
}

/** A tar that lists a dump: archive in, names out. */
export interface Lister {
  readonly child: ChildProcess;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** What its end says; undefined when all is well. */
  readonly exit: Promise<string | undefined>;
}

/** Starts to dump. */
export function startDumper(
  program: string,
  { directory, excludes }: DumpRequest,
  snapshot: string,
): Dumper {
  const what = [
    '--create',
    '--file=-',
    `--directory=${directory}`,
    '--one-file-system',
    `--listed-incremental=${snapshot}`,
  ];
  const how = ['--sparse', '--ignore-failed-read', '--totals'];
  const child = spawn(program, [...what, ...how, ...excludes, '--', '.'], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  keepUnread(child);
  return {
    child,
    stdout: child.stdout,
    stderr: child.stderr,
    exit: exitOf(child, `dump ${program}`, `dump (${child.pid ?? 0}) ${program}`),
  };
}

/** Starts to list. */
export function startLister(program: string): Lister {
  const child = spawn(program, ['-tf', '-'], {
    env: environment(),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  keepUnread(child);
  // It may stop reading at the archive's end mark, before the padding behind that.
  child.stdin.on('error', () => undefined);
  return {
    child,
    stdin: child.stdin,
    stdout: child.stdout,
    exit: exitOf(child, `index ${program}`, `index (${child.pid ?? 0}) ${program}`),
  };
}

/** Names and messages in one form whatever the host's language, and no options out of the environment. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, TZ } = process.env;
  return { PATH, ...(TZ === undefined ? {} : { TZ }), LC_ALL: 'C' };
}

/** Exit code 1 says that files changed while they were read, which is how a live system is. */
function exitOf(
  child: ChildProcess,
  unstarted: string,
  started: string,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      resolve(`${unstarted}: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      if (signal !== null) resolve(`${started} got signal ${constants.signals[signal]}`);
      else resolve(code === 0 || code === 1 ? undefined : `${started} returned ${code}`);
    });
  });
}
