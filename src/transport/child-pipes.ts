import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/**
 * A child that has its pipes, which `start` spawns with so many of them.
 *
 * Throws when the system has no descriptors for them. Node then makes a child without streams, and
 * reports the failure later, as an event.
 */
export function withPipes<C extends ChildProcess>(pipes: number, start: () => C): C {
  requireDescriptors(2 * pipes + SPARE);
  const child = start();
  if ((child as Partial<ChildProcess>).stdio !== undefined) return child;
  child.on('error', () => undefined);
  throw tooManyOpenFiles();
}

/** Two for the pipe by which libuv learns of a failed exec, and one for each thread of its pool. */
const SPARE = 6;

/**
 * Throws when so many descriptors are not free. Node never closes the pipes of a child whose start
 * fails after they were opened.
 */
function requireDescriptors(count: number): void {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync('/', 'r'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EMFILE' || code === 'ENFILE') throw tooManyOpenFiles(error);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

function tooManyOpenFiles(cause?: unknown): Error {
  return Object.assign(new Error('too many open files', { cause }), { code: 'EMFILE' });
}
