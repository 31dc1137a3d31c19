import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStarter, type Starter, type StartIds } from '../support/starts.js';
import { describeUnless, missingPrograms, notRoot } from '../support/skips.js';

const BACKUP = 34;

let starter: Starter;
const missing = notRoot() ?? missingPrograms('/usr/bin/gcc', '/usr/bin/setpriv');
beforeAll(() => {
  if (missing !== undefined) return;
  // The service's own rights, and those of each thread of rx-amandad, which started it.
  starter = openStarter([
    'cat >/dev/null',
    'grep -hE "^(Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapAmb)" /proc/self/status /proc/$PPID/task/*/status',
  ]);
});
afterAll(() => starter?.close());

const groupsOf = (user: string): string =>
  spawnSync('id', ['-G', user], { encoding: 'utf8' }).stdout.trim();

/** The distinct lines of the service's answer, with groups in order. */
function rights(text: string): readonly string[] {
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^Groups:\t(.*)$/, (_, ids: string) => `Groups: ${sorted(ids)}`));
  return [...new Set(lines)].sort();
}

const sorted = (ids: string): string =>
  ids
    .trim()
    .split(' ')
    .sort((a, b) => Number(a) - Number(b))
    .join(' ');

/** The rights of user backup and no others. */
const backupWith = (groups: string, id = BACKUP): readonly string[] => [
  'CapAmb:\t0000000000000000',
  'CapEff:\t0000000000000000',
  'CapInh:\t0000000000000000',
  'CapPrm:\t0000000000000000',
  `Gid:\t${id}\t${id}\t${id}\t${id}`,
  `Groups: ${sorted(groups)}`,
  'Uid:\t34\t34\t34\t34',
];

type Triple = StartIds['uids'];
const triples: readonly Triple[] = Array.from({ length: 8 }, (_, bits) => [
  bits & 4 ? BACKUP : 0,
  bits & 2 ? BACKUP : 0,
  bits & 1 ? BACKUP : 0,
]);

describeUnless(missing, 'the rights of rx-amandad and its services', () => {
  it.for(triples.map((uids) => ({ uids, name: uids.join(' ') })))(
    'started with the real, effective and saved user ids $name, and any group ids',
    async ({ uids }) => {
      const starts = triples.flatMap((gids) =>
        [[], [0], [BACKUP]].map((groups) => ({ gids, groups })),
      );
      for (const { gids, groups } of starts) {
        const label = `${uids.join(' ')} / ${gids.join(' ')} / ${groups.join(' ')}`;
        const answer = starter
          .start(`${starter.withIds({ uids, gids, groups })} exec %`, '-auth=local', '-user=backup')
          .then(rights, (error: unknown) => (error instanceof Error ? error.message : ''));
        if (uids.includes(0)) {
          expect(await answer, label).toEqual(backupWith(groupsOf('backup')));
        } else if (gids.includes(0) || groups.includes(0)) {
          expect(await answer, label).toMatch(/would keep rights that are not that user's: /);
          for (const [place, kind] of ['real', 'effective', 'saved'].entries())
            if (gids[place] === 0) expect(await answer, label).toContain(`the ${kind} group id 0`);
          if (groups.includes(0)) expect(await answer, label).toMatch(/[:,] group 0[,.]/);
        } else {
          expect(await answer, label).toEqual(backupWith(groups.join(' ')));
        }
      }
    },
  );

  const user = 'setpriv --reuid=34 --regid=34 --clear-groups';
  const some = '+dac_read_search,+net_bind_service';
  it.each([
    [
      'ambient',
      `${user} --inh-caps=${some} --ambient-caps=${some} %`,
      'the ambient capabilities 0x',
    ],
    ['inheritable', `${user} --inh-caps=${some} %`, 'the inheritable capabilities 0x'],
    ['those of root with no_setuid_fixup', 'setpriv --securebits=+no_setuid_fixup %', 'permitted'],
    ['inheritable ones of root', `setpriv --inh-caps=${some} %`, 'the inheritable capabilities 0x'],
  ])('refuses to start with capabilities left: %s', async (_, prefix, left) => {
    const words = ['-auth=local', '-user=backup'];
    const start = starter.start(`exec ${prefix}`, ...words);
    await expect(start).rejects.toThrow('would keep rights that are not that user');
    await expect(start).rejects.toThrow(left);
    await expect(start).rejects.toThrow('-keep-capabilities');
  });

  it('runs with capabilities when told so', async () => {
    const prefix = `exec ${user} --inh-caps=${some} --ambient-caps=${some} %`;
    expect(rights(await starter.start(prefix, '-auth=local', '-keep-capabilities'))).toContain(
      'CapAmb:\t0000000000000404',
    );
  });

  it('does not start as root that cannot change its ids', async () => {
    await expect(
      starter.start('exec setpriv --bounding-set=-setuid,-setgid %', '-auth=local', '-user=backup'),
    ).rejects.toThrow(/Cannot become the user backup: .*EPERM/);
  });

  it('does not start as root when Node cannot change ids, because it uses io_uring', async (context) => {
    // Later versions of Node do not use it, and can.
    if (Number(process.versions.node.split('.')[0]) !== 20)
      context.skip('only Node 20 uses io_uring');
    for (const words of [['-user=backup'], [], ['-keep-capabilities']])
      await expect(
        starter.start('UV_USE_IO_URING=1 exec %', '-auth=local', ...words),
      ).rejects.toThrow(/Cannot give up the rights of root: .*io_uring/);
  });

  it('keeps a group that the starter chose, such as Group=disk of a unit', async () => {
    const prefix = 'exec setpriv --reuid=34 --regid=6 --groups=34 %';
    expect(rights(await starter.start(prefix, '-auth=local'))).toEqual(backupWith('34', 6));
  });
});
