import { readFileSync } from 'node:fs';
import { lookup, lookupService } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { firstValueFrom, from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { systemNames } from '../../src/access/system-names.js';

/** The lines of this machine's own file: whatever is there, the C library must have said the same. */
const lines = readFileSync('/etc/hosts', 'utf8')
  .split('\n')
  .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
  .filter(([address = '', ...names]) => isIPv4(address) && names.length > 0);

describe('systemNames', () => {
  it('has lines to look for', () => {
    expect(lines.length).toBeGreaterThan(0);
  });

  it('says of every address in /etc/hosts what the C library says', async () => {
    for (const [address = ''] of lines) {
      expect(await firstValueFrom(from(systemNames.nameOf(address)))).toBe((await lookupService(address, 0)).hostname);
    }
  });

  it('says of every name in /etc/hosts what the C library says', async () => {
    for (const name of lines.flatMap(([, ...names]) => names)) {
      const found = await lookup(name, { all: true, family: 4 });
      expect(new Set(await firstValueFrom(from(systemNames.addressesOf(name, 4))))).toEqual(new Set(found.map(({ address }) => address)));
    }
  });

  it('asks the system for what is not in /etc/hosts', async () => {
    expect(await firstValueFrom(from(systemNames.addressesOf('127.1.2.3', 4)))).toEqual(['127.1.2.3']);
    await expect(firstValueFrom(from(systemNames.addressesOf('nowhere.invalid', 4)))).rejects.toThrow(/nowhere\.invalid/);
  });
});
