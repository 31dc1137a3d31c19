import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeReal, type Lab, oddTree, openLab, programs } from '../support/real-amanda.js';
import { dumpAgain, runRecover } from '../support/recover-command.js';

/** A line of a table, without its date. */
const withoutDates = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}/, ''));

describeReal('rx-amanda recover: ls, find, history', ['amandad', 'amdump'], () => {
  let lab: Lab;
  const ways: Record<string, string[]> = {};

  beforeAll(async () => {
    lab = openLab();
    const tree = join(lab.sandbox.directory, 'tree');
    oddTree(tree);
    mkdirSync(join(tree, 'etc'));
    writeFileSync(join(tree, 'etc/a.conf'), 'one');
    writeFileSync(join(tree, 'etc/b.conf'), 'one');
    const config = lab.configure({
      name: 'looked-at',
      auth: 'local',
      disks: [
        { name: 'the "odd" disk', path: tree },
        { name: 'other', path: join(tree, 'etc') },
      ],
      incremental: true,
    });
    await dumpAgain(lab, config);
    writeFileSync(join(tree, 'etc/a.conf'), 'other');
    rmSync(join(tree, 'etc/b.conf'));
    await dumpAgain(lab, config, 'incremental');
    const { port } = await lab.spawnTarget({
      command: programs.amandad,
      args: ['-auth=bsdtcp', 'amindexd', 'amidxtaped'],
    });
    const config_ = ['--config', config.name, '--no-config'];
    ways.bsdtcp = [`localhost:${port}`, '--user', 'backup', ...config_];
    const door = lab.sandbox.door('amandad', programs.amandad);
    ways.local = ['localhost', '--auth', 'local', '--amandad-path', door, ...config_];
  }, 180_000);
  afterAll(() => lab.close());

  describe.each(['bsdtcp', 'local'])('over %s', (auth) => {
    const recover = (...words: string[]) => runRecover([...(ways[auth] ?? []), ...words]);
    const odd = ['--disk', 'the "odd" disk'];

    it('ls lists the newest version of each entry', async () => {
      const { code, out, err } = await recover(...odd, 'ls', '/etc');
      expect([code, err]).toEqual([0, '']);
      // The index does not tell that b.conf is gone.
      expect(withoutDates(out)).toEqual(['  1  /etc/a.conf', '  0  /etc/b.conf']);
    });

    it('ls shows odd names in one line each', async () => {
      const { out } = await recover(...odd, 'ls');
      expect(withoutDates(out)).toEqual(
        expect.arrayContaining([
          '  0  /line\\nbreak',
          '  0  /l\\351gal',
          '  1  /grün 日本 🎈/',
          '  0  /quotes "double" \'single\'',
        ]),
      );
    });

    it('ls says when there is no such directory', async () => {
      const { code, err } = await recover(...odd, 'ls', '/nowhere');
      expect([code, err]).toEqual([
        1,
        'rx-amanda: The index of localhost:the "odd" disk has no directory /nowhere.\n',
      ]);
    });

    it('find lists every version, newest first', async () => {
      const { code, out } = await recover(...odd, 'find', '*.conf');
      expect(code).toBe(0);
      expect(withoutDates(out)).toEqual([
        '  1  /etc/a.conf',
        '  0  /etc/a.conf',
        '  0  /etc/b.conf',
      ]);
      expect(await recover(...odd, 'find', '*.cnf')).toMatchObject({ code: 1, out: '' });
    });

    it('history says where each version is', async () => {
      const { out } = await recover(...odd, 'history', '/etc/a.conf');
      expect(withoutDates(out)).toEqual([
        expect.stringMatching(/^ {2}1 {2}\/etc\/a.conf {2}looked-at:looked-at-002:\d$/),
        expect.stringMatching(/^ {2}0 {2}\/etc\/a.conf {2}looked-at:looked-at-001:\d$/),
      ]);
    });

    it('an escaped path names what a terminal cannot type', async () => {
      const { code, out } = await recover(...odd, '--escaped', '--json', 'history', '/l\\351gal');
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({
        host: 'localhost',
        disk: 'the "odd" disk',
        entries: [{ escaped: '/l\\351gal', level: 0, volumes: [{ label: 'looked-at-001' }] }],
      });
    });

    it('a missing disk is asked for with the choices', async () => {
      const { code, err } = await recover('ls');
      expect([code, err]).toEqual([
        2,
        'rx-amanda: --disk is missing; there are the "odd" disk, other.\n',
      ]);
    });

    it('a date before the first dump has nothing', async () => {
      const { code, err } = await recover(...odd, '--date', '2001-01-01', 'ls');
      expect([code, err]).toEqual([1, expect.stringContaining('No dumps available')]);
    });
  });
});
