import { describe, expect, it } from 'vitest';
import { parseDiskPath } from '../../../src/cli/rx-amanda/recover/disk-path.js';
import { parseDate } from '../../../src/cli/rx-amanda/recover/recover-place.js';
import { main } from '../../../src/cli/rx-amanda/main.js';
import { fakeIndexServer } from '../../initiator/recover/fake-server.js';
import { fakeEnvironment } from '../fake-environment.js';

describe('rx-amanda recover', () => {
  const recover = async (...words: string[]) => {
    const fake = fakeEnvironment({ services: { amindexd: fakeIndexServer() } });
    const code = await main(['recover', 'server', '--config', 'daily', ...words], fake.environment);
    return { code, out: fake.out(), err: fake.err() };
  };

  it.each([
    [['ls', '/', '/etc'], /"\/etc" is one word too many/],

    [['lss'], /no "lss".*Did you mean/],
    [[], /is missing after SERVER/],
    [['find'], /GLOB is missing/],
    [['history', '/a', '--date', '2026-01-01'], /--date is for/],
    [['ls', '--date', '1/2/2026'], /--date takes YYYY-MM-DD/],
    [['ls', '../etc'], /has a "\.\."/],
    [['ls', '--disk', '/home', '--config', ''], /--config NAME is missing/],
    [['ls'], /--disk is missing; there are \/home, a b\./],
  ])('refuses %j', async (words, message) => {
    const { code, err } = await recover(...words);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  it('prints what the index has as it comes, with nothing that moves a terminal', async () => {
    const { out } = await recover('--disk', '/home', 'find', '*.txt');
    expect(out).toBe('2026-11-03 01:00:00    1  /two.txt\n2026-11-01 01:00:00    0  /one.txt\n');
  });

  it('takes the only host, and prints a document', async () => {
    const { out } = await recover('--disk', '/home', '--json', 'ls', '--date', '2026-11-03');
    expect(JSON.parse(out)).toMatchObject({
      host: 'db1',
      disk: '/home',
      entries: [
        { path: '/grün.txt', escaped: '/gr\\303\\274n.txt', date: '20261101010000', level: 0 },
        { path: '/one.txt' },
        { path: '/two.txt', level: 1, volumes: [{ label: 'lab-2' }, { label: 'lab-3' }] },
      ],
    });
  });
});

describe('a path of a disk', () => {
  it.each([
    ['/etc/', '/etc'],
    ['etc//./hosts', '/etc/hosts'],
    ['/', '/'],
    ['.', '/'],
    ['a b\\c\n', '/a b\\\\c\\n'],
    ['grün', '/gr\\303\\274n'],
  ])('%j is %j in the index', (typed, escaped) => {
    expect(parseDiskPath(typed).escaped).toBe(escaped);
    expect(parseDiskPath(escaped, true)).toEqual(parseDiskPath(typed));
  });

  it('has every byte in escaped form', () => {
    expect(parseDiskPath('/l\\351gal\\"', true)).toEqual({
      latin1: '/l\u00e9gal"',
      escaped: '/l\\351gal"',
      shown: '/l\\351gal"',
    });
  });

  it('has no NUL', () => {
    expect(() => parseDiskPath('/a\\000', true)).toThrow(/NUL/);
  });
});

describe('a date', () => {
  it.each(['2026-11-03-01-02-03', '2026-11-03 01:02:03', '20261103010203'])('%s', (text) => {
    expect(parseDate(text)).toBe('20261103010203');
  });
});
