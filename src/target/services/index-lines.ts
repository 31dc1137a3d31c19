import type { Readable } from 'node:stream';

/**
 * An INDEX stream from tar's list of names: each without the `.` it begins with.
 *
 *     listed  ./  ./b/  ./b/two.txt
 *     index   /   /b/   /b/two.txt
 */
export async function* indexLines(listed: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  let last = '\n';
  for await (const chunk of listed) {
    // One character a byte: names are in whatever encoding they are.
    const text = (chunk as Buffer).toString('latin1');
    yield Buffer.from((last + text).replaceAll('\n.', '\n').slice(1), 'latin1');
    last = text.slice(-1);
  }
}
