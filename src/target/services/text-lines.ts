import type { Readable } from 'node:stream';

/** The longest line that is kept whole, in bytes; a longer one is cut into several. */
const MAX_LINE = 65_536;

/** The lines that a program writes, one character a byte, without their newlines; the next is read when it is asked for. */
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
