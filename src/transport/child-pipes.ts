import type { ChildProcess } from 'node:child_process';

/**
 * A child that has its pipes.
 *
 * Throws when the system has no descriptors for them. Node then makes a child without streams, and
 * reports the failure later, as an event.
 */
export function withPipes<C extends ChildProcess>(child: C): C {
  if ((child as Partial<ChildProcess>).stdio !== undefined) return child;
  child.on('error', () => undefined);
  throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
}
