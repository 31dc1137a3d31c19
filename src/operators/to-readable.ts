import { Readable } from 'node:stream';
import { Observable } from 'rxjs';
import { checkArgument } from '../wire/arguments.js';
import { iterate } from './iterate.js';
import { isPullable, type Pullable } from './pull.js';

/**
 * A Node Readable of a source's bytes.
 *
 *     bytes      -a---b---|
 *     'data'     -a---b---       at the pace of what reads; then 'end'
 *
 * A source that can be pulled (a Stream) is read at the Readable's pace. Any other Observable
 * cannot be slowed: what it emits meanwhile waits in the Readable. Destroying the Readable
 * unsubscribes.
 *
 * @example
 * ```ts
 * import { toReadable } from 'rx-amanda';
 * import { of } from 'rxjs';
 *
 * toReadable(of(new TextEncoder().encode('hello\n'))).pipe(process.stdout);
 * ```
 */
export function toReadable(source: Observable<Uint8Array> | Pullable<Uint8Array>): Readable {
  checkArgument('The source of toReadable', source, 'object');
  if (isPullable<Uint8Array>(source)) return Readable.from(iterate(source), { objectMode: false });
  const readable = new Readable({ read: () => undefined });
  const subscription = source.subscribe({
    next: (chunk) => readable.push(chunk),
    error: (error: unknown) =>
      readable.destroy(error instanceof Error ? error : new Error(String(error))),
    complete: () => readable.push(null),
  });
  readable.once('close', () => {
    subscription.unsubscribe();
  });
  return readable;
}
