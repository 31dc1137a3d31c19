import { join } from 'node:path';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bsdtcp } from '../../src/drivers/bsdtcp.js';
import { connect } from '../../src/initiator/connect.js';
import type { Driver } from '../../src/drivers/driver.js';
import { local } from '../../src/drivers/local.js';
import { dump } from '../../src/initiator/dump.js';
import { noop } from '../../src/initiator/noop.js';
import { receiveDump } from '../../src/initiator/receive-dump.js';
import { isProblem, selfcheck } from '../../src/initiator/selfcheck.js';
import { sendsize } from '../../src/initiator/sendsize.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { Features } from '../../src/wire/features.js';
import {
  type Configuration,
  describeReal,
  type Lab,
  oddTree,
  openLab,
  programs,
  treeLines,
} from '../support/real-amanda.js';
import { dumpOnce, leaveAmidxtaped, recoverImage, unpack } from '../support/recovery.js';

describeReal('our initiator and the real amandad', ['amandad', 'amdump'], () => {
  let lab: Lab;
  let tree = '';
  let dumped: Configuration;
  const drivers: Record<string, () => Driver> = {};

  beforeAll(async () => {
    lab = openLab();
    tree = join(lab.sandbox.directory, 'tree');
    oddTree(tree);
    const { port } = await lab.spawnTarget({
      command: programs.amandad,
      args: ['-auth=bsdtcp', 'amdump', 'amindexd', 'amidxtaped'],
    });
    const door = lab.sandbox.door('amandad', programs.amandad);
    drivers.bsdtcp = () => bsdtcp({ host: 'localhost', port, user: 'backup' });
    drivers.local = () => local({ amandadPath: door });
    dumped = await dumpOnce(lab, { name: 'odd', path: tree });
  });
  afterAll(() => lab.close());

  const dle = (): Dle => ({
    program: 'GNUTAR',
    disk: 'odd',
    diskdevice: tree,
    index: true,
    record: false,
    estimate: ['CLIENT'],
  });

  describe.each(['bsdtcp', 'local'])('over %s', (auth) => {
    const driver = (): Driver => drivers[auth]?.() ?? expect.unreachable();

    it('noop: says what it can do', async () => {
      const { features } = await firstValueFrom(connect(driver()).pipe(noop()));
      expect(features.toString()).toBe(Features.amanda351.toString());
    });

    it('selfcheck: finds the disk in order, and a missing one not', async () => {
      const findings = await lastValueFrom(
        connect(driver()).pipe(
          selfcheck({ dles: [dle(), { ...dle(), disk: 'gone', diskdevice: join(tree, 'gone') }] }),
          toArray(),
        ),
      );
      const problems = findings.filter(isProblem);
      expect(findings.length).toBeGreaterThan(3);
      expect(problems.map(({ details }) => details.get('disk'))).toEqual(['gone']);
    });

    it('sendsize: estimates the tree', async () => {
      const [estimate, ...more] = await lastValueFrom(
        connect(driver()).pipe(sendsize({ dles: [dle()], replyTimeout: 60_000 }), toArray()),
      );
      expect(more).toEqual([]);
      expect(estimate).toMatchObject({ kind: 'size', disk: 'odd', level: 0 });
      expect(estimate?.kind === 'size' ? estimate.kilobytes : 0).toBeGreaterThan(1000);
    });

    it('sendbackup: the restored tree is identical, and size, checksum and index agree', async () => {
      const image: Uint8Array[] = [];
      const index: Uint8Array[] = [];
      const events = await lastValueFrom(
        connect(driver()).pipe(
          dump({ dle: dle() }),
          receiveDump(() => ({
            data: (chunk) => {
              image.push(chunk);
              return [];
            },
            index: (chunk) => {
              index.push(chunk);
              return [];
            },
          })),
          toArray(),
        ),
      );
      const done = events.at(-1);
      const outcome = done?.kind === 'done' ? done.outcome : expect.unreachable();
      expect(outcome.kind).toBe('success');
      expect(outcome.native).toEqual(outcome.received);
      const bytes = Buffer.concat(image);
      expect(outcome.bytes).toBe(bytes.length);
      expect(treeLines(unpack(bytes, join(lab.sandbox.directory, `restored-${auth}`)))).toEqual(
        treeLines(tree),
      );
      expect(Buffer.concat(index).toString().split('\n').length - 1).toBe(
        outcome.files + outcome.directories,
      );
    });

    it('amindexd and amidxtaped: the tree recovered from tape is identical', async () => {
      expect(
        treeLines(
          unpack(
            await recoverImage(driver(), dumped, 'odd'),
            join(lab.sandbox.directory, `recovered-${auth}`),
          ),
        ),
      ).toEqual(treeLines(tree));
    });

    it('amidxtaped: closing CTL ends it, and the volume is free again', async () => {
      await leaveAmidxtaped(driver(), dumped, 'odd');
      const image = await recoverImage(driver(), dumped, 'odd');
      expect(image.length).toBeGreaterThan(0);
    });

    it('a service that is not enabled is refused with the real words', async () => {
      const asked = firstValueFrom(connect(driver()).pipe(noop({ user: 'mallory' })));
      if (auth === 'local') await asked;
      else
        await expect(asked).rejects.toMatchObject({
          code: 'REFUSED',
          message: expect.stringMatching(
            /^user mallory from localhost is not allowed to execute the service noop: /,
          ) as string,
        });
    });
  });
});
