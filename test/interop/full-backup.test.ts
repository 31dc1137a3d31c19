import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  describeFullBackup,
  type FullBackup,
  needed,
  ONE_BY_ONE,
  overBsdtcp,
} from '../support/full-backup.js';
import { describeReal, programs } from '../support/real-amanda.js';
import { giveToBackup } from '../support/sandbox.js';
import {
  allServices,
  installRxAmandad,
  startDaemon,
  type Started,
  startXinetd,
} from '../support/rx-amandad.js';

describeReal('real Amanda without its amandad', [...needed, 'xinetd'], () => {
  describeFullBackup('over bsdtcp: xinetd starts rx-amandad for each connection', {
    reach: async ({ sandbox }) =>
      overBsdtcp(
        await startXinetd(sandbox, installRxAmandad(sandbox), ['-auth=bsdtcp', ...allServices]),
      ),
  });

  let log = '';
  describeFullBackup(
    'over bsdtcp: xinetd with "wait" starts rx-amandad, which ends when it is not used for a second',
    {
      async reach({ sandbox }) {
        log = join(sandbox.directory, 'rx-amandad.log');
        writeFileSync(log, '');
        giveToBackup(log);
        return overBsdtcp(
          await startXinetd(
            sandbox,
            installRxAmandad(sandbox),
            ['-auth=bsdtcp', '-linger=1', `-log=${log}`, ...allServices],
            'yes',
          ),
        );
      },
      also: (run) => {
        const lines = (what: RegExp): readonly string[] =>
          readFileSync(log, 'utf8').match(what) ?? [];

        it('it was started less often than it was asked', ONE_BY_ONE, () => {
          expect(lines(/ listening on /g).length).toBeLessThan(lines(/ request /g).length);
        });

        it(
          'it has ended a second later, and is started again for the next connection',
          ONE_BY_ONE,
          async () => {
            const before = lines(/ \d+ listening on /g);
            const pid = Number(/\d+/.exec(before.at(-1) ?? '')?.[0]);
            expect(pid).toBeGreaterThan(1);
            await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 20_000 }).toBe(false);
            const { lab, config } = run();
            const check = await lab.asBackup(programs.amcheck, ['-c', config.name]);
            expect(check.code, check.stdout + check.stderr).toBe(0);
            expect(lines(/ \d+ listening on /g).length).toBeGreaterThan(before.length);
          },
        );
      },
    },
  );

  let daemon: Started;
  describeFullBackup('over bsdtcp: rx-amandad is a daemon of its own, and the tree has 200 MB', {
    megabytes: 200,
    async reach({ sandbox }) {
      daemon = await startDaemon(sandbox);
      return overBsdtcp(daemon);
    },
    also: () => {
      it('no process of a service is left', ONE_BY_ONE, () => {
        expect(
          spawnSync('ps', ['-o', 'pid=,stat=,args=', '--ppid', String(daemon.pid)], {
            encoding: 'utf8',
          }).stdout,
        ).toBe('');
      });
    },
  });

  describeFullBackup('over local: the programs of the server start rx-amandad', {
    reach: ({ sandbox }) => ({ auth: 'local', amandadPath: installRxAmandad(sandbox) }),
    also: (run) => {
      it('every dump went through shared memory', ONE_BY_ONE, () => {
        expect(ringsOf(run())).toBe(4);
      });
    },
  });

  describeFullBackup('over local: rx-amandad -no-shm does not offer shared memory', {
    reach: ({ sandbox }) => ({ auth: 'local', amandadPath: installRxAmandad(sandbox, '-no-shm') }),
    also: (run) => {
      it('no dump went through shared memory', ONE_BY_ONE, () => {
        expect(ringsOf(run())).toBe(0);
      });
    },
  });
});

/** How many rings of shared memory the sendbackups took, two disks being dumped twice. */
function ringsOf({ lab }: FullBackup): number {
  return lab.sandbox.logs().split(/ sendbackup: shm_ring_link /).length - 1;
}
