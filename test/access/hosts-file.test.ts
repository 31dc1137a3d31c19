import { describe, expect, it } from 'vitest';
import {
  addressesInHosts,
  asksHostsFirst,
  canonicalInHosts,
  nameInHosts,
  parseHosts,
} from '../../src/access/hosts-file.js';

const hosts = parseHosts(`127.0.0.1\tlocalhost
# 10.0.0.9 two.lab two
10.0.0.1  one.lab one ONE-OLD   # the first
::1 localhost ip6-localhost
fe80::1 six.lab
10.0.0.2 a.lab shared
10.0.0.3 b.lab shared
not an address
`);

describe('canonicalInHosts', () => {
  it.each<[name: string, canonical: string | undefined, where: string]>([
    ['one.lab', 'one.lab', 'its own name'],
    ['one', 'one.lab', 'an alias'],
    ['One-Old', 'one.lab', 'whatever its case'],
    ['localhost', 'localhost', 'on lines of both families that agree'],
    ['two', undefined, 'in a comment'],
    ['shared', undefined, 'on lines that disagree'],
    ['six.lab', undefined, 'on lines of the other family alone'],
    ['address', undefined, 'on a line without an address'],
    ['none', undefined, 'nowhere'],
    ['', undefined, 'no name'],
  ])('%s → %s: %s', (name, canonical) => {
    expect(canonicalInHosts(hosts, name, 4)).toBe(canonical);
  });

  it('takes lines of either family where any will do', () => {
    expect(canonicalInHosts(hosts, 'six.lab', 0)).toBe('six.lab');
  });
});

/**
 * What Debian's C library answers to the same questions about the same lines was looked up with
 * getent and getnameinfo.
 */
const odd = parseHosts(`::1 six sixalias
10.1.1.1 plain
fe80::1 link
10.2.2.2 multi one
10.2.2.3 multi two
10.2.2.2 later
10.2.2.4 Upper
300.1.1.1 bad
10.3 short
010.4.4.4 octal
10.5.5.5
10.6.6.6 a#b c
`);

describe('nameInHosts', () => {
  it.each<[address: string, name: string | undefined, where: string]>([
    ['127.0.0.1', 'six', 'for which ::1 stands as well'],
    ['10.1.1.1', 'plain', 'on its line'],
    ['10.2.2.2', 'multi', 'on the first of its lines'],
    ['10.2.2.3', 'multi', 'also where another address has the same one'],
    ['10.2.2.4', 'Upper', 'as it is written'],
    ['10.5.5.5', undefined, 'on a line without any'],
    ['10.6.6.6', 'a', 'in front of a comment'],
    ['10.3.0.3', undefined, 'by a short spelling'],
    ['8.4.4.4', undefined, 'by an octal one'],
    ['10.9.9.9', undefined, 'nowhere'],
  ])('%s → %s: %s', (address, name) => {
    expect(nameInHosts(odd, address)).toBe(name);
  });

  it('reads a line that ends with a CR', () => {
    expect(nameInHosts(parseHosts('10.1.1.1 one.lab\r\n'), '10.1.1.1')).toBe('one.lab');
  });

  it('passes over lines of other IPv6 addresses', () => {
    const lines = parseHosts('fe80::1 link\n1::ffff:10.1.1.1 six\n10.1.1.1 four\n');
    expect(nameInHosts(lines, '10.1.1.1')).toBe('four');
  });

  it.each([
    '::ffff:10.1.1.1',
    '::FFFF:0a01:0101',
    '0:0:0:0:0:ffff:10.1.1.1',
    '0:0:0:0:0:0:0:1',
    '::0001',
    '0::1',
  ])(
    'leaves what follows %s, another spelling of an IPv4 address, to the C library',
    (spelling) => {
      expect(
        nameInHosts(
          parseHosts(`10.1.1.1 before\n${spelling} mapped\n10.1.1.2 behind\n`),
          '10.1.1.1',
        ),
      ).toBe('before');
      expect(
        nameInHosts(
          parseHosts(`10.1.1.1 before\n${spelling} mapped\n10.1.1.2 behind\n`),
          '10.1.1.2',
        ),
      ).toBeUndefined();
    },
  );
});

describe('addressesInHosts', () => {
  it.each<[name: string, addresses: readonly string[] | undefined, where: string]>([
    ['six', ['127.0.0.1'], 'for ::1'],
    ['sixalias', ['127.0.0.1'], 'by an alias'],
    ['multi', ['10.2.2.2', '10.2.2.3'], 'on two lines'],
    ['TWO', ['10.2.2.3'], 'whatever its case'],
    ['link', undefined, 'on a line of the other family'],
    ['bad', undefined, 'on a line without an address'],
    ['short', undefined, 'by a short spelling'],
    ['octal', undefined, 'by an octal one'],
    ['c', undefined, 'in a comment'],
    ['none', undefined, 'nowhere'],
  ])('%s → %j: %s', (name, addresses) => {
    expect(addressesInHosts(odd, name)).toEqual(addresses);
  });

  it('leaves a name to the C library that has another spelling of an IPv4 address', () => {
    expect(
      addressesInHosts(parseHosts('10.1.1.1 mapped\n::ffff:10.1.1.2 mapped\n'), 'mapped'),
    ).toBeUndefined();
  });
});

describe('asksHostsFirst', () => {
  it.each([
    ['passwd: files\nhosts: files dns\n', true],
    ['hosts:\tfiles\n', true],
    ['hosts: files [NOTFOUND=return] dns', true],
    ['hosts: files [SUCCESS=merge] dns', false],
    ['hosts: files \t[SUCCESS=merge] dns', false],
    ['hosts: files dns [SUCCESS=merge] nis', true],
    ['hosts: files [!UNAVAIL=return SUCCESS=continue] dns', false],
    ['hosts: mymachines files dns', false],
    ['hosts: resolve [!UNAVAIL=return] files', false],
    ['hosts: filesystem', false],
    ['# hosts: files', false],
    [' \thosts: files dns', true],
    ['ghosts: files', false],
    ['hosts : files', false],
    ['passwd: files\n', false],
    ['', false],
  ])('%j: %s', (text, first) => {
    expect(asksHostsFirst(text)).toBe(first);
  });
});
