import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstValueFrom, map } from 'rxjs';
import { connect, local, request } from '../../src/index.js';
import { rxAmandad } from './program.js';

/** Starts rx-amandad with any ids, over its standard input and output. */
export interface Starter {
  /**
   * What the service `selfcheck` prints. Rejects with what rx-amandad says when it does not serve.
   *
   * `prefix` is the shell text before the command, such as `setpriv … --`.
   */
  readonly start: (prefix: string, ...words: readonly string[]) => Promise<string>;
  /** The prefix for ids that only a running process can have: those of a start all agree. */
  readonly withIds: (ids: StartIds) => string;
  readonly directory: string;
  readonly close: () => void;
}

/** Real, effective and saved ids, and the supplementary groups. */
export interface StartIds {
  readonly uids: readonly [number, number, number];
  readonly gids: readonly [number, number, number];
  readonly groups: readonly number[];
}

/** Runs before `main`. An exec would make the saved ids equal to the effective ones. */
const preloaded = `#define _GNU_SOURCE
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void become(void) {
  unsigned u[3], g[3], n, group;
  const char *ids = getenv("START_IDS");
  if (sscanf(ids, "%u %u %u %u %u %u %u %u", u, u + 1, u + 2, g, g + 1, g + 2, &n, &group) < 7)
    _exit(99);
  gid_t groups[1] = {group};
  if (setgroups(n, groups) || setresgid(g[0], g[1], g[2]) || setresuid(u[0], u[1], u[2])) _exit(98);
  unsetenv("LD_PRELOAD");
  unsetenv("START_IDS");
}
`;

/** Compiles what sets the ids, with gcc, and writes a service of these lines. */
export function openStarter(service: readonly string[]): Starter {
  const directory = mkdtempSync('/tmp/rx-amanda-starts-');
  chmodSync(directory, 0o755);
  const library = join(directory, 'ids.so');
  writeFileSync(join(directory, 'ids.c'), preloaded);
  execFileSync('gcc', ['-shared', '-fPIC', '-o', library, join(directory, 'ids.c')]);
  const libexec = join(directory, 'libexec');
  mkdirSync(libexec, { mode: 0o755 });
  writeFileSync(join(libexec, 'selfcheck'), ['#!/bin/bash', ...service, ''].join('\n'));
  chmodSync(join(libexec, 'selfcheck'), 0o755);
  let count = 0;
  return {
    directory,
    withIds: ({ uids, gids, groups }) =>
      `LD_PRELOAD=${library} START_IDS='${[...uids, ...gids, groups.length, ...groups].join(' ')}'`,
    start: (prefix, ...words) => {
      const program = join(directory, `start-${++count}`);
      const command = `'${process.execPath}' '${rxAmandad}' -libexec=${libexec} ${words.join(' ')}`;
      writeFileSync(program, `#!/bin/bash\n${prefix.replace('%', command)}\n`, { mode: 0o755 });
      return firstValueFrom(
        connect(local({ amandadPath: program }), { connectTries: 1 }).pipe(
          request('selfcheck'),
          map(({ text }) => text),
        ),
      );
    },
    close: () => {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
