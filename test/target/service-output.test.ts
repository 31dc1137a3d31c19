import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Pull } from '../../src/operators/pull.js';
import { ServiceOutput } from '../../src/target/process/service-output.js';

/** Writes six million bytes in lines that all differ. */
const WRITER =
  "for (let line = 0; line < 60; line++) require('fs').writeSync(3, `${line}-`.padEnd(100_000, `${line}.`));";
const EXPECTED = Array.from({ length: 60 }, (_, line) =>
  `${line}-`.padEnd(100_000, `${line}.`),
).join('');

function outputOf(
  program: string,
  prepare: (pipe: Socket) => void = () => undefined,
): Promise<ServiceOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['-e', program], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    child.on('error', reject).once('spawn', () => {
      const pipe = child.stdio[3];
      if (!(pipe instanceof Socket)) return;
      prepare(pipe);
      resolve(new ServiceOutput(pipe));
    });
  });
}

/**
 * Takes each chunk in its own turn of the event loop, so that reading pauses; resolves at the end.
 */
function takeAll(
  output: ServiceOutput,
  taken: (chunk: Uint8Array, pull: Pull<Uint8Array>) => void,
): Promise<Pull<Uint8Array>['end']> {
  return new Promise((resolve) => {
    const pull = output.pull(() => {
      setImmediate(() => {
        const chunk = pull.take();
        if (chunk !== undefined) taken(chunk, pull);
        if (pull.end !== undefined) resolve(pull.end);
      });
    }, true);
  });
}

const sha = (...parts: readonly (string | Uint8Array)[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

describe('ServiceOutput', () => {
  it('gives all that a service writes, in order, and never changes an unreleased chunk', async () => {
    const chunks: Uint8Array[] = [];
    expect(await takeAll(await outputOf(WRITER), (chunk) => chunks.push(chunk))).toEqual({});
    expect(sha(...chunks)).toBe(sha(EXPECTED));
  });

  it('reads through the buffers of Node when the pipe has buffered bytes already', async () => {
    const chunks: Uint8Array[] = [];
    const output = await outputOf(WRITER, (pipe) => {
      pipe.unshift(Buffer.from('early'));
    });
    expect(await takeAll(output, (chunk) => chunks.push(chunk))).toEqual({});
    expect(sha(...chunks)).toBe(sha('early', EXPECTED));
  });

  it('reads into the same memory again after it is released', async () => {
    const hash = createHash('sha256');
    const memories = new Set<ArrayBufferLike>();
    let large = 0;
    await takeAll(await outputOf(WRITER), (chunk, pull) => {
      hash.update(chunk);
      if (chunk.length >= 8_192) {
        large += 1;
        memories.add(chunk.buffer);
      }
      pull.release(chunk);
    });
    expect(hash.digest('hex')).toBe(sha(EXPECTED));
    expect(large).toBeGreaterThan(10);
    expect(memories.size).toBeLessThanOrEqual(3);
  });

  it('copies a short text out of the read buffer', async () => {
    const chunks: Uint8Array[] = [];
    await takeAll(await outputOf("require('fs').writeSync(3, 'short')"), (chunk) =>
      chunks.push(chunk),
    );
    expect(Buffer.concat(chunks).toString()).toBe('short');
    expect(chunks.every(({ buffer }) => buffer.byteLength < 262_144)).toBe(true);
  });

  it('errors when this side closes it before its end', async () => {
    const output = await outputOf("setInterval(() => require('fs').writeSync(3, 'more'), 10)");
    const ended = takeAll(output, () => {
      output.destroy();
    });
    expect(await ended).toEqual({
      error: expect.objectContaining({ code: 'CONNECTION_CLOSED' }) as unknown,
    });
  });
});
