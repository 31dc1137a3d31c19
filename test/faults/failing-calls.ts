import childProcess, { ChildProcess } from 'node:child_process';
import dgram from 'node:dgram';
import type { EventEmitter } from 'node:events';
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
  fail: (this: never, error: Error) => unknown,
): void {
  const functions = module as Record<string, Callable>;
  const original = functions[name] as Callable;
  functions[name] = function patched(this: unknown, ...args: unknown[]): unknown {
    const error = failsNow(`${prefix}${name}`);
    return error === undefined ? original.apply(this, args) : fail.call(this as never, error);
  };
}

const thrown = (error: Error): never => {
  throw error;
};

/** The errors of spawn that Node reports as an event; it throws all others. */
const reported: readonly (string | undefined)[] = ['EACCES', 'EAGAIN', 'EMFILE', 'ENFILE'];

/** What Node makes of a spawn that fails: without descriptors the child has no streams. */
function childThatFailed(error: NodeJS.ErrnoException, original: Callable): unknown {
  if (!reported.includes(error.code)) throw error;
  if (error.code === 'EACCES' || error.code === 'EAGAIN')
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
    'statfs',
  ])
    patch(fs.promises, 'promises.', name, (error) => Promise.reject(error));
  const { spawn } = childProcess as unknown as Record<'spawn', Callable>;
  patch(childProcess, '', 'spawn', (error) => childThatFailed(error, spawn));
  patch(net, 'net.', 'connect', (error) => {
    const socket = new Socket();
    process.nextTick(() => socket.destroy(error));
    return socket;
  });
  const emitted = function (this: EventEmitter, error: Error): unknown {
    process.nextTick(() => this.emit('error', error));
    return this;
  };
  patch(net.Server.prototype, 'Server.', 'listen', emitted);
  patch(dgram.Socket.prototype, 'dgram.', 'bind', emitted);
  const { send } = dgram.Socket.prototype as unknown as Record<'send', Callable>;
  Object.assign(dgram.Socket.prototype, {
    send(this: unknown, ...args: unknown[]): void {
      const error = failsNow('dgram.send');
      const done = args.at(-1);
      if (error === undefined) send.apply(this, args);
      else if (typeof done === 'function') process.nextTick(done, error);
      else emitted.call(this as EventEmitter, error);
    },
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
