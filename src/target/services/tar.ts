import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { withPipes } from '../../transport/child-pipes.js';
import { keepOutputAfterExit } from '../process/child-process.js';
import type { DumpRequest } from './dump-request.js';
import { descriptorPath, type OpenedPath } from './open-below.js';

/** A tar that makes a dump. */
export interface Dumper {
  readonly child: ChildProcess;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Why it failed; undefined when it succeeded. */
  readonly exit: Promise<string | undefined>;
}

/** A tar that reads a dump and lists its names. */
export interface Lister {
  readonly child: ChildProcess;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Why it failed; undefined when it succeeded. */
  readonly exit: Promise<string | undefined>;
}

/** Starts to dump. Throws when the system has no descriptors for the pipes. */
export function startDumper(
  program: string,
  { directory, excludes, excludeList }: DumpRequest,
  snapshot: OpenedPath | undefined,
): Dumper {
  const stdio: ('ignore' | 'pipe' | number)[] = [
    excludeList === undefined ? 'ignore' : 'pipe',
    'pipe',
    'pipe',
  ];
  const pathOf = ({ path, handle }: OpenedPath): string =>
    handle === undefined ? path : descriptorPath(stdio.push(handle.fd) - 1);
  const what = [
    '--create',
    '--file=-',
    `--directory=${pathOf(directory)}`,
    '--one-file-system',
    ...(snapshot === undefined ? [] : [`--listed-incremental=${pathOf(snapshot)}`]),
  ];
  const how = ['--sparse', '--ignore-failed-read', '--totals'];
  const without = [
    ...excludes.map((pattern) => `--exclude=${pattern}`),
    ...(excludeList === undefined ? [] : ['--exclude-from=-']),
  ];
  const child = withPipes(
    3,
    () =>
      spawn(program, [...what, ...how, ...without, '--', '.'], {
        env: environment(),
        stdio,
      }) as ChildProcessByStdio<Writable | null, Readable, Readable>,
  );
  if (excludeList !== undefined) child.stdin?.on('error', () => undefined).end(excludeList);
  keepOutputAfterExit(child);
  return {
    child,
    stdout: child.stdout,
    stderr: child.stderr,
    exit: exitOf(child, `dump ${program}`, `dump (${child.pid ?? 0}) ${program}`),
  };
}

/** Starts to list. Throws when the system has no descriptors for the pipes. */
export function startLister(program: string): Lister {
  const child = withPipes(2, () =>
    spawn(program, ['-tf', '-'], {
      env: environment(),
      stdio: ['pipe', 'pipe', 'ignore'],
    }),
  );
  keepOutputAfterExit(child);
  // It may stop reading at the archive's end mark, before the padding after it.
  child.stdin.on('error', () => undefined);
  return {
    child,
    stdin: child.stdin,
    stdout: child.stdout,
    exit: exitOf(child, `index ${program}`, `index (${child.pid ?? 0}) ${program}`),
  };
}

/** Makes names and messages independent of the host's language and tar's options in variables. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, TZ } = process.env;
  return { PATH, ...(TZ === undefined ? {} : { TZ }), LC_ALL: 'C' };
}

/** Exit code 1 is a success: files changed while tar read them. */
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

/** A line of tar's standard error. */
export interface TarMessage {
  /** `|`: usual output; `?`: an administrator should look at it. */
  readonly mark: '|' | '?';
  /** Optional; the bytes of the archive, when the line says so. */
  readonly bytes?: number;
}

const usual = [/^Elapsed time:/, /^Throughput/, /: socket ignored$/];

/** Judges a line of tar's standard error as Amanda's sendbackup does for GNUTAR. */
export function tarMessage(line: string): TarMessage {
  const total = /^ *Total bytes written: (\d+)/.exec(line)?.[1];
  if (total !== undefined) return { mark: '|', bytes: Number(total) };
  return { mark: usual.some((pattern) => pattern.test(line)) ? '|' : '?' };
}

/** The longest line that stays whole, in bytes. */
const MAX_LINE = 65_536;

/** The lines of a program's output, read on demand: one character a byte, without newlines. */
export async function* textLines(readable: Readable): AsyncGenerator<string, void, undefined> {
  let rest = '';
  for await (const chunk of readable) {
    const lines = (rest + (chunk as Buffer).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length < MAX_LINE) continue;
    yield rest;
    rest = '';
  }
  if (rest !== '') yield rest;
}
