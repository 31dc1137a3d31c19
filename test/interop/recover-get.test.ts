import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeReal, type Lab, oddTree, openLab, programs } from '../support/real-amanda.js';
import { dumpAgain, runRecover } from '../support/recover-command.js';
import { exactLines } from '../support/exact-tree.js';

describeReal('rx-amanda recover: get', ['amandad', 'amdump', 'amrecover'], () => {
  let lab: Lab;
  let server: string[] = [];
  const states: (readonly string[])[] = [];
  let tree = '';
  const at = (name: string) => join(lab.sandbox.directory, name);

  beforeAll(async () => {
    lab = openLab();
    tree = at('tree');
    oddTree(tree);
    mkdirSync(join(tree, 'etc/deep'), { recursive: true });
    for (const name of ['a', 'b', 'deep/c']) writeFileSync(join(tree, 'etc', name), name);
    spawnSync('truncate', ['-s', '3M', join(tree, 'holes')]);
    spawnSync('chown', ['-R', '1234:4321', join(tree, 'etc/deep')]);
    const config = lab.configure({
      name: 'got',
      auth: 'local',
      disks: [{ name: 'the "odd" disk', path: tree, program: 'amgtar' }],
      incremental: true,
    });
    states.push(exactLines(tree));
    await dumpAgain(lab, config);
    writeFileSync(join(tree, 'etc/a'), 'changed');
    rmSync(join(tree, 'etc/b'));
    renameSync(join(tree, 'empty folder'), join(tree, 'renamed folder'));
    states.push(exactLines(tree));
    await dumpAgain(lab, config, 'incremental');
    rmSync(join(tree, 'plain.txt'));
    mkdirSync(join(tree, 'plain.txt'));
    renameSync(join(tree, 'etc/deep'), join(tree, 'etc/deeper'));
    states.push(exactLines(tree));
    await dumpAgain(lab, config, 'incremental');
    const { port } = await lab.spawnTarget({
      command: programs.amandad,
      args: ['-auth=bsdtcp', 'amindexd', 'amidxtaped'],
    });
    server = [`localhost:${port}`, '--user', 'backup', '--config', config.name, '--no-config'];
  }, 180_000);
  afterAll(() => lab.close());
  const recover = (...words: string[]) => runRecover([...server, ...words]);

  it('--dry-run lists the dumps', async () => {
    const { code, out, err } = await recover('--dry-run', 'get', '/');
    expect([code, err]).toEqual([0, '']);
    expect(out.split('\n')).toHaveLength(5);
  });

  it('get / restores the newest state', async () => {
    const { code, out, err } = await recover('get', '/', '-C', at('newest'));
    expect(code, out + err).toBe(0);
    expect(exactLines(at('newest'))).toEqual(states[2]);
  });
});
