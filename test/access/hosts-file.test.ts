import { describe, expect, it } from 'vitest';
import { asksHostsFirst, canonicalInHosts } from '../../src/access/hosts-file.js';

const hosts = `127.0.0.1\tlocalhost
# 10.0.0.9 two.lab two
10.0.0.1  one.lab one ONE-OLD   # the first
::1 localhost ip6-localhost
fe80::1 six.lab
10.0.0.2 a.lab shared
10.0.0.3 b.lab shared
not an address
`;

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

describe('asksHostsFirst', () => {
  it.each([
    ['passwd: files\nhosts: files dns\n', true],
    ['hosts:\tfiles\n', true],
    ['hosts: files [NOTFOUND=return] dns', true],
    ['hosts: files [SUCCESS=merge] dns', false],
    ['hosts: files [!UNAVAIL=return SUCCESS=continue] dns', false],
    ['hosts: mymachines files dns', false],
    ['hosts: resolve [!UNAVAIL=return] files', false],
    ['hosts: filesystem', false],
    ['# hosts: files', false],
    ['passwd: files\n', false],
    ['', false],
  ])('%j: %s', (text, first) => {
    expect(asksHostsFirst(text)).toBe(first);
  });
});
