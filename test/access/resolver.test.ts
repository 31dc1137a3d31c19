import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, from } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { resolverText, systemResolver } from '../../src/access/resolver.js';

const dns = vi.hoisted(() => ({
  lookup: vi.fn(),
  lookupService: vi.fn(),
  resolveCname: vi.fn(),
}));
vi.mock('node:dns/promises', () => dns);

const coded = (code: string): Error => Object.assign(new Error(`it failed: ${code}`), { code });

describe('the name of an address', () => {
  test('is what the system says', async () => {
    dns.lookupService.mockResolvedValueOnce({ hostname: 'one.lab', service: '0' });
    expect(await systemResolver.nameOf('10.0.0.1')).toBe('one.lab');
    expect(dns.lookupService).toHaveBeenLastCalledWith('10.0.0.1', 0);
  });

  test('is undefined when the system knows none, and an error when it cannot tell', async () => {
    dns.lookupService.mockRejectedValueOnce(coded('ENOTFOUND'));
    expect(await systemResolver.nameOf('10.0.0.1')).toBeUndefined();
    dns.lookupService.mockRejectedValueOnce(coded('EAI_AGAIN'));
    await expect(systemResolver.nameOf('10.0.0.1')).rejects.toThrow('it failed: EAI_AGAIN');
  });
});

test('the addresses of a name are all of its family', async () => {
  dns.lookup.mockResolvedValueOnce([{ address: '10.0.0.1' }, { address: '10.0.0.2' }]);
  expect(await systemResolver.addressesOf('one', 4)).toEqual(['10.0.0.1', '10.0.0.2']);
  expect(dns.lookup).toHaveBeenLastCalledWith('one', { all: true, family: 4 });
});

describe('the canonical name', () => {
  const path = process.env.PATH;
  let folder = '';
  const canonicalOf = (family: 0 | 4 = 0) => from(systemResolver.canonicalOf('one', family));

  /** A getent of this shell script. */
  const getent = (script: string) =>
    writeFile(join(folder, 'getent'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rx-amanda-getent-'));
    process.env.PATH = `${folder}:${path ?? ''}`;
    dns.resolveCname.mockReset().mockRejectedValue(coded('ENODATA'));
  });
  afterEach(async () => {
    process.env.PATH = path;
    await rm(folder, { recursive: true });
  });

  test('is the third word of what getent says', async () => {
    await getent('echo "10.0.0.1   STREAM  one.lab"; echo "10.0.0.1   DGRAM  "');
    expect(await firstValueFrom(canonicalOf())).toBe('one.lab');
    await getent('echo "10.0.0.1 STREAM"; echo "10.0.0.1 DGRAM one.lab"');
    expect(await firstValueFrom(canonicalOf())).toBeUndefined();
  });

  test('is asked for by family, as it is', async () => {
    await getent('echo "- - $(echo "$@" | tr " " ,)"');
    expect(await firstValueFrom(canonicalOf())).toBe('--no-addrconfig,--no-idn,--,ahosts,one');
    expect(await firstValueFrom(canonicalOf(4))).toBe('--no-addrconfig,--no-idn,--,ahostsv4,one');
  });

  test('is undefined when getent knows none', async () => {
    await getent('exit 2');
    expect(await firstValueFrom(canonicalOf())).toBeUndefined();
    expect(dns.resolveCname).not.toHaveBeenCalled();
  });

  test('is what DNS says when getent fails', async () => {
    await getent('exit 1');
    expect(await firstValueFrom(canonicalOf())).toBe('one');
    dns.resolveCname.mockResolvedValueOnce(['two']).mockResolvedValueOnce(['three', 'four']);
    expect(await firstValueFrom(canonicalOf())).toBe('three');
    expect(dns.resolveCname.mock.calls.slice(-3)).toEqual([['one'], ['two'], ['three']]);
  });

  test('is what DNS says when there is no getent', async () => {
    process.env.PATH = folder;
    dns.resolveCname.mockResolvedValueOnce(['two']);
    expect(await firstValueFrom(canonicalOf())).toBe('two');
  });

  test('is undefined after eight aliases', async () => {
    await getent('exit 1');
    for (let alias = 0; alias < 7; alias += 1) dns.resolveCname.mockResolvedValueOnce(['alias']);
    expect(await firstValueFrom(canonicalOf())).toBe('alias');
    dns.resolveCname.mockReset().mockResolvedValue(['alias']);
    expect(await firstValueFrom(canonicalOf())).toBeUndefined();
    expect(dns.resolveCname).toHaveBeenCalledTimes(8);
  });

  test('ends its process when no look-up waits for it', async () => {
    const pidFile = join(folder, 'pid');
    await getent(`echo $$ > ${pidFile}; exec sleep 100`);
    const waiting = canonicalOf().subscribe();
    const pid = await vi.waitFor(async () => {
      const text = await readFile(pidFile, 'utf8');
      expect(text).toMatch(/^\d+\n$/);
      return Number(text);
    });
    expect(() => process.kill(pid, 0)).not.toThrow();
    waiting.unsubscribe();
    await vi.waitFor(() => {
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    });
    expect(dns.resolveCname).not.toHaveBeenCalled();
  });
});

test.each([
  [coded('ENOTFOUND'), 'Name or service not known'],
  [coded('EAI_AGAIN'), 'Temporary failure in name resolution'],
  [coded('EAI_FAIL'), 'Non-recoverable failure in name resolution'],
  [coded('EAI_MEMORY'), 'Memory allocation failure'],
  [coded('EOTHER'), 'it failed: EOTHER'],
  [new Error('no code'), 'no code'],
  ['a text', 'a text'],
  [null, 'null'],
])('an error of a resolver is shown in the words of the system: %s', (error, text) => {
  expect(resolverText(error)).toBe(text);
});
