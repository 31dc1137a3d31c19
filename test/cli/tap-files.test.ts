import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defer, lastValueFrom } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { withTapFiles } from '../../src/cli/rx-amanda/tap/tap-files.js';
import { release, takeSlab } from '../../src/transport/buffer-pool.js';

test('a capture has the bytes that passed, though their memory is wanted again before it is written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rx-amanda-tap-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const pcap = join(folder, 'a.pcap');
  const troubles: string[] = [];
  const chunk = takeSlab().subarray(0, 1_000).fill(7);

  const published = withTapFiles(
    { pcap },
    false,
    (message) => troubles.push(message),
    (files) =>
      defer(async () => {
        const peer = { address: '127.0.0.1', port: 1 };
        files.event({ kind: 'opened', connection: 1, at: 0, peer, target: '127.0.0.1:2' });
        files.event({ kind: 'bytes', connection: 1, at: 0, sender: 'target', chunk });
        release(chunk);
        takeSlab().fill(9);
        return files.publish();
      }),
  );

  expect(await lastValueFrom(published)).toEqual([pcap]);
  expect(troubles).toEqual([]);
  expect((await readFile(pcap)).includes(Buffer.alloc(1_000, 7))).toBe(true);
});
