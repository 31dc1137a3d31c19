import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { processArguments } from '../../src/cli/terminal/process-arguments.js';

/** A file as Linux has it of a process with these words. */
async function commandLine(...words: readonly Uint8Array[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rx-amanda-words-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'cmdline');
  const start = ['node', '--flag', 'script'].map((word) => Buffer.from(word));
  await writeFile(
    file,
    Buffer.concat([...start, ...words].flatMap((word) => [word, Buffer.of(0)])),
  );
  return file;
}

describe('the arguments of a process', () => {
  it('keep a byte that is not UTF-8', async () => {
    const file = await commandLine(Buffer.from('dump'), Buffer.of(0x2f, 0xe9), Buffer.from('é'));
    expect(processArguments(['dump', '/\ufffd', 'é'], file)).toEqual(['dump', '/\udce9', 'é']);
  });

  it('are as given when all are UTF-8', () => {
    const given = ['dump', 'é'];
    expect(processArguments(given, '/nowhere')).toBe(given);
  });

  it('are as given when the system has others, or none', async () => {
    const other = await commandLine(Buffer.from('tap'), Buffer.of(0xe9));
    for (const file of [other, '/nowhere', '/dev/null'])
      expect(processArguments(['dump', '\ufffd'], file)).toEqual(['dump', '\ufffd']);
  });
});
