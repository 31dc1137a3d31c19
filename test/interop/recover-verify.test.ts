import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { driverFor } from '../../src/cli/rx-amanda/driver-for.js';
import { fakeEnvironment } from '../cli/fake-environment.js';
import {
  type Configuration,
  describeReal,
  type Lab,
  oddTree,
  openLab,
  programs,
} from '../support/real-amanda.js';
import { dumpAgain } from '../support/recover-command.js';

async function verify(...words: string[]) {
  const { environment, out, err } = fakeEnvironment();
  const code = await main(['verify', ...words], { ...environment, driver: driverFor });
  return { code, out: out(), err: err() };
}

describeReal('rx-amanda verify', ['amandad', 'amdump'], () => {
  let lab: Lab;
  let config: Configuration;
  let server: string[] = [];

  beforeAll(async () => {
    lab = openLab();
    const tree = join(lab.sandbox.directory, 'tree');
    oddTree(tree);
    config = lab.configure({
      name: 'proven',
      auth: 'local',
      disks: [
        { name: 'plain', path: tree },
        { name: 'amgtar', path: tree, program: 'amgtar' },
        { name: 'client-gzip', path: tree, dumptype: ['compress client fast'] },
        { name: 'server-gzip', path: tree, dumptype: ['compress server fast'] },
      ],
    });
    await dumpAgain(lab, config);
    const { port } = await lab.spawnTarget({
      command: programs.amandad,
      args: ['-auth=bsdtcp', 'amindexd', 'amidxtaped'],
    });
    const user = ['--user', 'backup', '--config', config.name, '--no-config'];
    server = ['--server', `localhost:${port}`, ...user];
  }, 120_000);
  afterAll(() => lab.close());
  /** The files of dumps on the first vtape. */
  const files = (): string[] => {
    const slot = config.firstTape.replace('file:', '');
    const data = readdirSync(slot).includes('data') ? join(slot, 'data') : slot;
    return readdirSync(data)
      .filter((name) => /^0000[1-9]\./.test(name))
      .map((name) => join(data, name));
  };

  it('proves each file on a volume', async () => {
    expect(files()).toHaveLength(4);
    for (const file of files()) {
      const { code, out, err } = await verify(file);
      expect(code, out + err).toBe(0);
      expect(out).toContain('server CRC, client CRC, native CRC, archive');
    }
  });

  it('--all proves the last dump of each disk, with its index', async () => {
    const { code, out, err } = await verify(...server, '--all', '--json');
    expect(code, out + err).toBe(0);
    const { dumps } = JSON.parse(out) as { readonly dumps: readonly object[] };
    expect(dumps).toHaveLength(4);
    for (const dump of dumps)
      expect(dump).toMatchObject({
        good: true,
        checked: expect.arrayContaining(['native CRC', 'archive', 'index']) as string[],
      });
  });

  it('finds one flipped bit on a volume, and goes on with the other disks', async () => {
    const file = files().find((name) => name.includes('plain')) ?? expect.unreachable();
    const bytes = readFileSync(file);
    const place = 32_768 + bytes.indexOf('hello amanda') - 32_768;
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const local = await verify(file);
    expect([local.code, local.out]).toEqual([
      1,
      expect.stringContaining(`bit 0 of byte ${place - 32_768} of the image is flipped`),
    ]);
    expect(local.out).toContain('The flipped bit is in /');
    const { code, out } = await verify(...server, '--all', '--json');
    const { dumps } = JSON.parse(out) as {
      readonly dumps: readonly { readonly disk: string; readonly good: boolean }[];
    };
    expect(code).toBe(1);
    expect(dumps.filter(({ good }) => !good).map(({ disk }) => disk)).toEqual(['plain']);
  });
});
