import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { fakeEnvironment } from '../cli/fake-environment.js';
import { capturesDirectory } from '../support/captures.js';

/** What docs/draw.md and README.md show: as {@link drawn} draws it now, or it is stale. */
const picture = new URL('../../docs/pictures/sendbackup.svg', import.meta.url);

/** A dump by the real programs, drawn by the command line as anybody would. */
async function drawn(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-drawn-'));
  try {
    const file = join(folder, 'sendbackup.svg');
    const code = await main(
      ['draw', `${capturesDirectory}amdump.2.c2s.bin`, '-o', file, '--width', '880'],
      fakeEnvironment().environment,
    );
    expect(code).toBe(0);
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.env['RX_AMANDA_MARBLES'] === 'write')
  test('the picture of a real conversation is drawn anew', async () => {
    writeFileSync(picture, await drawn());
  });
else
  test('the picture of a real conversation in the documents is what rx-amanda draws (npm run marbles draws it anew)', async () => {
    expect(readFileSync(picture, 'utf8') === (await drawn())).toBe(true);
  });
