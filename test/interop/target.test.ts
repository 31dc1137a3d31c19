import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recover } from '../support/full-backup.js';
import {
  describeReal,
  type Lab,
  oddTree,
  openLab,
  programs,
  treeLines,
  type RunResult,
} from '../support/real-amanda.js';
import { rxAmandad } from '../support/program.js';

const services = ['amdump', 'amindexd', 'amidxtaped'];

describeReal(
  'the real programs and our rx-amandad',
  ['amservice', 'amcheck', 'amdump', 'amrecover'],
  () => {
    let lab: Lab;
    let tree = '';
    let local = '';
    let port = 0;
    let ownPort = 0;

    beforeAll(async () => {
      lab = openLab();
      tree = join(lab.sandbox.directory, 'tree');
      oddTree(tree);
      // What starts it is in the sandbox already, and has a PATH without node.
      local = join(lab.sandbox.directory, 'rx-amandad');
      writeFileSync(local, `#!/bin/sh\nexec ${process.execPath} ${rxAmandad} "$@"\n`, {
        mode: 0o755,
      });
      port = (
        await lab.spawnTarget({
          command: process.execPath,
          args: [rxAmandad, '-auth=bsdtcp', ...services],
        })
      ).port;
      ownPort = (
        await lab.spawnTarget({
          command: process.execPath,
          args: [rxAmandad, '-auth=bsdtcp', '-own', 'amdump'],
        })
      ).port;
    });
    afterAll(() => lab.close());

    const dle = (program: string): string =>
      `<dle>\n  <program>${program}</program>\n  <estimate>CLIENT</estimate>\n  <disk>odd</disk>\n  <diskdevice>${tree}</diskdevice>\n  <level>0</level>\n  <auth>bsdtcp</auth>\n  <record>NO</record>\n  <index>YES</index>\n  <datapath>AMANDA</datapath>\n</dle>\n`;

    function amservice(
      auth: string,
      service: string,
      { own = false, input = '' } = {},
    ): Promise<RunResult> {
      const way =
        auth === 'local'
          ? ['-o', `amandad-path=${local}`]
          : ['-o', `client-port=${own ? ownPort : port}`];
      return lab.asBackup(programs.amservice, [...way, 'localhost', auth, service], { input });
    }

    describe.each(['bsdtcp', 'local'])('amservice over %s', (auth) => {
      it('noop: is answered by the real executable', async () => {
        const { stdout, code } = await amservice(auth, 'noop');
        expect([stdout, code]).toEqual([
          'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n\n',
          0,
        ]);
      });

      it('selfcheck: the real executable checks a disk and finds no problem', async () => {
        const { stdout, code } = await amservice(auth, 'selfcheck', { input: dle('GNUTAR') });
        expect(stdout).toContain('MESSAGE JSON');
        expect(stdout).not.toContain('ERROR');
        expect(code).toBe(0);
      });

      it('sendsize: the real executable estimates a disk', async () => {
        const { stdout } = await amservice(auth, 'sendsize', { input: dle('GNUTAR') });
        expect(stdout).toMatch(/^odd 0 SIZE \d{4}$/m);
      });
    });

    it('amservice gets noop from our own service', async () => {
      const { stdout, code } = await amservice('bsdtcp', 'noop', { own: true });
      expect(stdout).toMatch(/^OPTIONS features=[0-9a-f]{38};\n\n$/);
      expect(code).toBe(0);
    });

    it.each([
      ['bsdtcp', () => ({ clientPort: port })],
      ['local', () => ({ amandadPath: local })],
    ] as const)(
      'amcheck, amdump and amrecover over %s: the restored tree is identical',
      async (auth, reach) => {
        const way = { auth, ...reach() };
        const config = lab.configure({
          name: `full-${auth}`,
          ...way,
          disks: [
            { name: 'odd', path: tree },
            { name: 'app', path: tree, program: 'amgtar' },
          ],
        });
        const check = await lab.asBackup(programs.amcheck, ['-c', config.name]);
        expect(check.stdout, check.stderr).toContain('0 problems found');
        const dump = await lab.asBackup(programs.amdump, [config.name], { timeout: 100_000 });
        expect(dump.code, dump.stdout + dump.stderr + lab.sandbox.logs()).toBe(0);
        for (const disk of ['odd', 'app']) {
          const directory = join(lab.sandbox.directory, `recovered-${auth}-${disk}`);
          const { stdout, stderr } = await recover({ lab, way, config }, { disk, directory });
          expect(treeLines(directory), stdout + stderr).toEqual(treeLines(tree));
        }
      },
      200_000,
    );
  },
);
