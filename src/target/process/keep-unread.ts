import type { ChildProcess } from 'node:child_process';

/**
 * Keeps what a child has written until somebody reads it, also when the child has ended by then.
 *
 * Node reads the pipes in `child.stdio` to their end when the child exits, and what nobody listens
 * for is gone; so they are taken out of that list. Their own names (`child.stdout`) stay.
 */
export function keepUnread(child: ChildProcess): void {
  (child.stdio as unknown[]).fill(null);
}
