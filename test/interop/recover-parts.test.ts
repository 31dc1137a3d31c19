import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exactLines } from '../support/exact-tree.js';
import { recover as amrecover } from '../support/full-backup.js';
import {
  type Configuration,
  describeReal,
  type Lab,
  oddTree,
  openLab,
  programs,
} from '../support/real-amanda.js';
import { dumpAgain, runRecover } from '../support/recover-command.js';

describeReal('rx-amanda recover get, of a dump in parts', ['amdump', 'amrecover'], () => {
  let lab: Lab;
  let config: Configuration;
  let server: string[] = [];
  const at = (name: string) => join(lab.sandbox.directory, name);

  beforeAll(async () => {
    lab = openLab();
    oddTree(at('tree'));
    config = lab.configure({
      name: 'parts',
      auth: 'local',
      disks: [{ name: 'split', path: at('tree') }],
      incremental: true,
      tapes: { tapetype: ['length 700 kbytes', 'part_size 256 kbytes'], runtapes: 3 },
    });
    await dumpAgain(lab, config);
    const { port } = await lab.spawnTarget({
      command: programs.amandad,
      args: ['-auth=bsdtcp', 'amindexd', 'amidxtaped'],
    });
    server = [`localhost:${port}`, '--user', 'backup', '--config', config.name, '--no-config'];
  }, 120_000);
  afterAll(() => lab.close());

  it('is in 5 parts on 3 volumes', async () => {
    const { out } = await runRecover([...server, '--json', 'get', '/', '--dry-run']);
    expect(JSON.parse(out)).toMatchObject({
      dumps: [{ volumes: [{ files: [1, 2] }, { files: [1, 2] }, { files: [1] }] }],
    });
  });

  it('comes back as it was, and as from amrecover', async () => {
    const { code, out, err } = await runRecover([...server, 'get', '/', '-C', at('into')]);
    expect(code, out + err).toBe(0);
    expect(exactLines(at('into'))).toEqual(exactLines(at('tree')));
    const directory = at('amrecover');
    const run = { lab, config, way: { auth: 'local' as const } };
    await amrecover(run, { disk: 'split', directory, questions: 2 });
    expect(exactLines(directory)).toEqual(exactLines(at('into')));
  });
});
