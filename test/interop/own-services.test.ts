import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Features } from '../../src/wire/features.js';
import { ourFeatures } from '../../src/target/services/noop-service.js';
import { rxAmandad } from '../support/program.js';
import { describeReal, type Lab, openLab, programs } from '../support/real-amanda.js';
import { installRxAmandad } from '../support/rx-amandad.js';

describeReal(
  'rx-amandad -own and the real server',
  ['amservice', 'amcheck', 'amdump', 'amreport'],
  () => {
    let lab: Lab;
    let tree = '';
    let port = 0;
    let amandadPath = '';

    beforeAll(async () => {
      lab = openLab();
      tree = join(lab.sandbox.directory, 'tree');
      mkdirSync(tree);
      writeFileSync(join(tree, 'file'), Buffer.alloc(300_000, 'x'));
      amandadPath = installRxAmandad(lab.sandbox, '-own');
      const args = [rxAmandad, '-auth=bsdtcp', '-own', 'amdump'];
      port = (await lab.spawnTarget({ command: process.execPath, args })).port;
    });
    afterAll(() => lab.close());

    const ways = [
      ['local', () => ({ auth: 'local', amandadPath })],
      ['bsdtcp', () => ({ auth: 'bsdtcp', clientPort: port })],
    ] as const;

    it.each(ways)(
      'amcheck and amdump over %s end, and the dump is whole',
      async (auth, reach) => {
        const config = lab.configure({
          name: `own-${auth}`,
          ...reach(),
          disks: [{ name: 'tree', path: tree }],
        });
        const check = await lab.asBackup(programs.amcheck, ['-c', config.name]);
        expect(check.stdout, check.stderr).toContain('0 problems found');
        const dump = await lab.asBackup(programs.amdump, [config.name], { timeout: 60_000 });
        const report = await lab.asBackup(programs.amreport, [config.name, '--text=-']);
        expect([dump.code, dump.timedOut], report.stdout + report.stderr).toEqual([0, false]);
      },
      120_000,
    );

    describe.each(ways)('over %s', (_auth, reach) => {
      it.each(['noop', 'selfcheck', 'sendsize'])(
        'the reply of %s announces what our sendbackup does, and no more',
        async (service) => {
          const { auth, ...at } = reach();
          const way =
            'clientPort' in at ? `client-port=${at.clientPort}` : `amandad-path=${at.amandadPath}`;
          const { stdout } = await lab.asBackup(programs.amservice, [
            ...['-o', way, 'localhost', auth, service],
          ]);
          const announced = [...stdout.matchAll(/features(?:=|" : ")([0-9a-f]+)/g)];
          expect(announced, stdout).not.toEqual([]);
          for (const [, hex = ''] of announced)
            expect(Features.parse(hex).names()).toEqual(ourFeatures.names());
        },
      );
    });
  },
);
