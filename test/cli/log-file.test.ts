import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { LogFile } from '../../src/cli/rx-amandad/log-file.js';

const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('lines are in the file, in order, when it is closed', async () => {
  const path = join(folder, 'order');
  const log = new LogFile(path);
  const lines = Array.from({ length: 1_000 }, (_, at) => `line ${at}`);
  for (const line of lines) log.write(line);
  await log.close();
  expect(readFileSync(path, 'utf8')).toBe(lines.map((line) => `${line}\n`).join(''));
});

test('lines that the disk is too slow for are dropped and counted', async () => {
  const path = join(folder, 'slow');
  const log = new LogFile(path);
  const line = 'x'.repeat(1_000);
  for (let count = 0; count < 5_000; count += 1) log.write(line);
  await log.close();
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const kept = lines.filter((one) => one === line).length;
  expect(kept).toBeLessThan(1_100);
  expect(lines.filter((one) => one !== line)).toEqual([
    `log lines that the disk was too slow for: ${5_000 - kept}`,
  ]);
});

test('a full disk is no error', async () => {
  const log = new LogFile('/dev/full');
  log.write('a line');
  await log.close();
});

test('a log that cannot be opened is FILE_FAILED', () => {
  expect(() => new LogFile(folder)).toThrow(
    expect.objectContaining({ code: 'FILE_FAILED' }) as Error,
  );
});

test('a FIFO in the place of the log is never waited for', async () => {
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  expect(() => new LogFile(path)).toThrow(`Cannot write the log ${path}: ENXIO`);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const log = new LogFile(path);
  log.write('read');
  await vi.waitFor(() => {
    const buffer = Buffer.alloc(10);
    expect(buffer.toString('latin1', 0, readSync(reader, buffer))).toBe('read\n');
  });
  // More than a pipe takes.
  for (let count = 0; count < 300; count += 1) log.write('x'.repeat(1_000));
  await log.close();
  closeSync(reader);
});
