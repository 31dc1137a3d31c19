import childProcess, { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net, { Socket } from 'node:net';

export const codes = ['EMFILE', 'ENFILE', 'EAGAIN', 'ENOSPC', 'ENOMEM', 'EACCES', 'EIO'] as const;
export type Code = (typeof codes)[number];

/** The n-th call of a function that fails, and how. */
export interface Fault {
  readonly call: string;
  readonly n: number;
  readonly code: Code;
}

type Callable = (...args: unknown[]) => unknown;

let fault: Fault | undefined;
const counts = new Map<string, number>();

/** Counts the calls of a function, and says whether this one fails. */
function failsNow(call: string): NodeJS.ErrnoException | undefined {
  const n = (counts.get(call) ?? 0) + 1;
  counts.set(call, n);
  if (fault?.call !== call || fault.n !== n) return undefined;
  const { code } = fault;
  return Object.assign(new Error(`${code}: injected, ${call}`), { code, syscall: call });
}

/** Calls so far, by function; and from now on this one fails. */
export function arm(next: Fault | undefined): ReadonlyMap<string, number> {
  const before = new Map(counts);
  counts.clear();
  fault = next;
  return before;
}

function patch(
  module: object,
  prefix: string,
  name: string,
  fail: (error: Error) => unknown,
): void {
  const functions = module as Record<string, Callable>;
  const original = functions[name] as Callable;
  functions[name] = function patched(this: unknown, ...args: unknown[]): unknown {
    const error = failsNow(`${prefix}${name}`);
    return error === undefined ? original.apply(this, args) : fail(error);
  };
}

const thrown = (error: Error): never => {
  throw error;
};

/** What Node makes of a spawn that fails: without descriptors it has no streams. */
function childThatFailed(error: NodeJS.ErrnoException, original: Callable): unknown {
  if (error.code !== 'EMFILE' && error.code !== 'ENFILE')
    return original('/nonexistent/program', []);
  const child = new (ChildProcess as unknown as new () => ChildProcess)();
  process.nextTick(() => child.emit('error', error));
  return child;
}

/** Makes the functions of Node that reach the system fail as {@link arm} says. */
export function install(): void {
  for (const name of ['openSync', 'readSync', 'fstatSync', 'statSync', 'readFileSync'])
    patch(fs, 'fs.', name, thrown);
  for (const name of [
    'open',
    'stat',
    'realpath',
    'readFile',
    'writeFile',
    'mkdtemp',
    'mkdir',
    'rename',
    'copyFile',
    'rm',
  ])
    patch(fs.promises, 'promises.', name, (error) => Promise.reject(error));
  const { spawn } = childProcess as unknown as Record<'spawn', Callable>;
  patch(childProcess, '', 'spawn', (error) => childThatFailed(error, spawn));
  patch(net, 'net.', 'connect', (error) => {
    const socket = new Socket();
    process.nextTick(() => socket.destroy(error));
    return socket;
  });
  const write = Reflect.get(Socket.prototype, '_writeGeneric') as Callable;
  Object.assign(Socket.prototype, {
    _writeGeneric(this: Socket, ...args: unknown[]): unknown {
      const error = failsNow('write');
      if (error === undefined) return write.apply(this, args);
      (args.at(-1) as (error: Error) => void)(error);
      return undefined;
    },
  });
  syncBuiltinESMExports();
}
