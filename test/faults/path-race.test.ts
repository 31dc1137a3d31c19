import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openBeneath } from '../../src/target/services/open-beneath.js';

const SWAPS = 100_000;
/** Exchanges two names again and again, at one stroke each: renameat2 with RENAME_EXCHANGE. */
const RACER = `import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
one, other = (path.encode() for path in sys.argv[1:3])
for _ in range(int(sys.argv[3])):
    if libc.renameat2(-100, one, -100, other, 2) != 0:
        sys.exit(ctypes.get_errno())
`;

const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-race-'));
afterAll(() => rmSync(folder, { recursive: true }));
const root = join(folder, 'root');
const inner = join(root, 'inner');
const link = join(root, 'link');
mkdirSync(join(inner, 'sub'), { recursive: true });
writeFileSync(join(inner, 'sub/public'), '');
mkdirSync(join(folder, 'outside/sub'), { recursive: true });
writeFileSync(join(folder, 'outside/sub/secret'), '');
symlinkSync(join(folder, 'outside'), link);

const canSwap =
  spawnSync('python3', ['-c', RACER, inner, link, '2']).status === 0 &&
  spawnSync('test', ['-d', '/proc/self/fd']).status === 0;
if (!canSwap) console.warn('SKIPPED: paths that are swapped: needs python3, renameat2 and /proc');

describe.runIf(canSwap)('a path that somebody swaps with a link that leads out', () => {
  it(`is never opened outside its root, in ${SWAPS} swaps`, { timeout: 120_000 }, async () => {
    const racer = spawn('python3', ['-c', RACER, inner, link, String(SWAPS)], { stdio: 'ignore' });
    let isOver = false;
    const exited = once(racer, 'exit').then(([code]) => {
      isOver = true;
      return code as number;
    });
    const seen = { public: 0, secret: 0, refused: 0 };
    let checkedThenNamed = 0;
    while (!isOver) {
      const directory = await openBeneath([root], join(inner, 'sub'), 'directory');
      if (directory === undefined) seen.refused += 1;
      else {
        const [name] = readdirSync(`/proc/self/fd/${directory.fd}`);
        seen[name as 'public' | 'secret'] += 1;
        await directory.close();
      }
      if (await namedAfterCheck()) checkedThenNamed += 1;
    }
    expect(await exited).toBe(0);
    console.log(
      `${SWAPS} swaps: ${JSON.stringify(seen)}; by name after a check ${checkedThenNamed} got out`,
    );
    expect(seen.secret).toBe(0);
    expect(seen.public).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  });

  /** What is not done: the path is checked, and used by name afterwards. */
  async function namedAfterCheck(): Promise<boolean> {
    try {
      const real = await realpath(join(inner, 'sub'));
      if (!real.startsWith(root)) return false;
      return readdirSync(join(inner, 'sub')).includes('secret');
    } catch {
      return false;
    }
  }
});

describe('openBeneath', () => {
  it.each([
    ['a file outside', join(folder, 'outside/sub/secret'), 'file'],
    ['a file that does not exist', join(folder, 'outside/none'), 'file'],
    ['a folder outside', join(folder, 'outside'), 'directory'],
    ['a folder beside the root with its name in front', `${root}-too`, 'directory'],
    ['a file as a folder', join(inner, 'sub/public'), 'directory'],
    ['what is reached by ..', join(root, '..', 'outside'), 'directory'],
  ] as const)('finds nothing for %s', async (_, path, kind) => {
    expect(await openBeneath([root], path, kind)).toBe(undefined);
  });

  it('opens the root itself, and a root that is a link', async () => {
    const alias = join(folder, 'alias');
    symlinkSync(root, alias);
    for (const [from, path] of [
      [root, root],
      [alias, join(alias, 'inner')],
      [root, join(alias, 'inner')],
    ] as const) {
      const opened = await openBeneath([from], path, 'directory');
      expect((await opened?.stat())?.isDirectory()).toBe(true);
      await opened?.close();
    }
  });
});
