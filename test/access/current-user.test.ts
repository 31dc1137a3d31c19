import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom } from 'rxjs';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { authorize } from '../../src/access/authorize.js';

vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  userInfo: vi.fn(),
}));

const home = mkdtempSync('/tmp/rx-amanda-user-');
const uid = process.getuid?.() ?? 0;
writeFileSync(join(home, '.amandahosts'), 'db1.lab\n', { mode: 0o600 });
afterAll(() => {
  rmSync(home, { recursive: true });
});

const database = vi.mocked(userInfo);
const user = (id: number) => ({ username: 'backup', uid: id, gid: id, shell: null, homedir: home });
const isAllowed = async (): Promise<boolean> => {
  const peer = { host: 'db1.lab', port: 1023 };
  const verdict = await firstValueFrom(authorize()({ user: 'backup', service: 'noop', peer }));
  return verdict.kind === 'allowed';
};

describe('without a local user, authorize', () => {
  beforeEach(() => {
    database.mockReset();
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('throws when the user of this process is in no database', () => {
    const cause = new Error('no such user');
    database.mockImplementation(() => {
      throw cause;
    });
    expect(() => authorize()).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT', cause }));
  });

  test('goes by the home, the name and the id that the database gives to this process', async () => {
    database.mockReturnValue(user(uid));
    expect(await isAllowed()).toBe(true);
  });

  test('asks the database once, and again when this process has become another user', async () => {
    database.mockReturnValue(user(uid));
    expect([await isAllowed(), await isAllowed()]).toEqual([true, true]);
    const before = database.mock.calls.length;
    vi.spyOn(process, 'geteuid').mockReturnValue(uid + 1);
    database.mockReturnValue(user(uid + 1));
    expect([await isAllowed(), await isAllowed()]).toEqual([false, false]);
    expect(database.mock.calls.length - before).toBe(1);
  });
});
