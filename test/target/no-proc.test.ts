import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { sendbackupService } from '../../src/target/services/sendbackup-service.js';
import { Features } from '../../src/wire/features.js';
import { ask, contents, folder, replyText, text } from './scripts.js';

// A system whose /proc/self/fd is no part of a procfs.
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<object>()),
  statfs: () => Promise.resolve({ type: 0x1021994 }),
}));

function asked(directory: string, level = 0) {
  return {
    service: 'sendbackup',
    options: { features: Features.amanda351, hostname: 'client.example' },
    body: `<dle><program>GNUTAR</program><disk>${directory}</disk><level>${level}</level><index>YES</index></dle>\n`,
  };
}

it('without /proc nothing below roots is dumped, and the reply says why', async () => {
  const root = await folder();
  expect(await replyText(sendbackupService({ roots: [root] }), asked(root))).toBe(
    'ERROR [sendbackup: directories below roots can be dumped only on Linux with /proc]\n',
  );
});

it('without /proc and roots dumps work at each level, and leave no temporary file', async () => {
  const [root, listDir] = [await folder(), await folder()];
  await mkdir(join(root, 'b'));
  await writeFile(join(root, 'b', 'old'), 'old');
  const dump = (level: number) =>
    ask(sendbackupService({ listDir }), asked(root, level), async ({ streams }) => {
      const { DATA, MESG, INDEX, STATE } = streams;
      const [index] = await Promise.all([text(INDEX), contents(DATA), text(MESG), text(STATE)]);
      return index;
    });
  expect(await dump(0)).toBe('/\n/b/\n/b/old\n');
  await writeFile(join(root, 'b', 'new'), 'new');
  expect(await dump(1)).toBe('/\n/b/\n/b/new\n');
  await vi.waitFor(async () => {
    expect((await readdir(listDir)).sort()).toEqual([
      expect.stringMatching(/_0$/),
      expect.stringMatching(/_1$/),
    ]);
  });
});
