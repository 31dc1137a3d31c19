import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { lookup, lookupService } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, from, of, type ObservableInput } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { asksHostsFirst, nameInHosts, parseHosts } from '../../src/access/hosts-file.js';
import type { NameResolver } from '../../src/access/resolver.js';
import { hostsFirst, systemNames } from '../../src/access/system-names.js';

const first = <T>(answer: ObservableInput<T>): Promise<T> => firstValueFrom(from(answer));

describe('systemNames', () => {
  /**
   * The lines of this machine's own file: whatever is there, the C library must have said the same.
   */
  const lines = readFileSync('/etc/hosts', 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
    .filter(([address = '', ...names]) => isIPv4(address) && names.length > 0);

  it('have lines to look for', () => {
    expect(lines.length).toBeGreaterThan(0);
  });

  it('are of every address in /etc/hosts what the C library says', async () => {
    for (const [address = ''] of lines) {
      expect(await first(systemNames.nameOf(address))).toBe(
        (await lookupService(address, 0)).hostname,
      );
    }
  });

  it('are of every name in /etc/hosts what the C library says', async () => {
    for (const name of lines.flatMap(([, ...names]) => names)) {
      const found = await lookup(name, { all: true, family: 4 });
      expect(new Set(await first(systemNames.addressesOf(name, 4)))).toEqual(
        new Set(found.map(({ address }) => address)),
      );
    }
  });

  it('are asked of the system when they are not in /etc/hosts', async () => {
    expect(await first(systemNames.addressesOf('127.1.2.3', 4))).toEqual(['127.1.2.3']);
    await expect(first(systemNames.addressesOf('nowhere.invalid', 4))).rejects.toThrow(
      /nowhere\.invalid/,
    );
  });
});

describe('hostsFirst', () => {
  const system: NameResolver = {
    nameOf: () => of('asked'),
    addressesOf: () => of(['asked']),
    canonicalOf: () => of('asked'),
  };
  let folder = '';
  let files = { hosts: '', nsswitch: '' };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rx-amanda-hosts-'));
    files = { hosts: join(folder, 'hosts'), nsswitch: join(folder, 'nsswitch.conf') };
    writeFileSync(files.hosts, '10.0.0.1 one.lab one\nfe80::1 six.lab\n');
    writeFileSync(files.nsswitch, 'hosts: files dns\n');
  });
  afterEach(() => {
    vi.useRealTimers();
    rmSync(folder, { recursive: true });
  });

  it('answers from the file, and asks for what is not there', async () => {
    const names = hostsFirst(system, files);
    expect(await first(names.nameOf('10.0.0.1'))).toBe('one.lab');
    expect(await first(names.addressesOf('one', 4))).toEqual(['10.0.0.1']);
    expect(await first(names.canonicalOf('one', 4))).toBe('one.lab');
    expect(await first(names.nameOf('10.0.0.2'))).toBe('asked');
    expect(await first(names.addressesOf('two', 4))).toEqual(['asked']);
    expect(await first(names.canonicalOf('two', 4))).toBe('asked');
  });

  it('asks for IPv6, whose addresses have many spellings', async () => {
    const names = hostsFirst(system, files);
    expect(await first(names.nameOf('fe80::1'))).toBe('asked');
    expect(await first(names.addressesOf('one', 0))).toEqual(['asked']);
    expect(await first(names.canonicalOf('six.lab', 0))).toBe('six.lab');
  });

  it.each([
    ['the system looks elsewhere first', () => writeFileSync(files.nsswitch, 'hosts: dns files\n')],
    ['nothing says where the system looks', () => rmSync(files.nsswitch)],
    ['there is no such file', () => rmSync(files.hosts)],
    [
      'the file has more than 64 KiB',
      () => writeFileSync(files.hosts, `10.0.0.1 one.lab\n#${'x'.repeat(65_536)}\n`),
    ],
  ])('asks for everything where %s', async (_what, change) => {
    change();
    expect(await first(hostsFirst(system, files).nameOf('10.0.0.1'))).toBe('asked');
  });

  it('goes by the files of the system unless told others', async () => {
    const text = (path: string): string =>
      existsSync(path) ? readFileSync(path, 'utf8') : 'no lines';
    const lines = asksHostsFirst(text('/etc/nsswitch.conf')) ? parseHosts(text('/etc/hosts')) : [];
    expect(await first(hostsFirst(system).nameOf('127.0.0.1'))).toBe(
      nameInHosts(lines, '127.0.0.1') ?? 'asked',
    );
  });

  it('reads the file again after a second', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const names = hostsFirst(system, files);
    expect(await first(names.nameOf('10.0.0.1'))).toBe('one.lab');
    writeFileSync(files.hosts, '10.0.0.1 other.lab\n');
    vi.advanceTimersByTime(999);
    expect(await first(names.nameOf('10.0.0.1'))).toBe('one.lab');
    vi.advanceTimersByTime(1);
    expect(await first(names.nameOf('10.0.0.1'))).toBe('other.lab');
  });
});
