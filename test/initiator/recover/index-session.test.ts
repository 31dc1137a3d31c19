import { catchError, concat, firstValueFrom, merge, take, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { reply } from '../../../src/exchange/service.js';
import { findEntries, globMatcher } from '../../../src/initiator/recover/find-entries.js';
import { index, type IndexSession } from '../../../src/initiator/recover/index-session.js';
import { against, answering, breaks, call, failure, says } from '../fake-target.js';
import { conversation, fakeIndexServer } from './fake-server.js';

const place = { host: 'db1', disk: '/home' };
const ask = <T>(work: (session: IndexSession) => Observable<T>, heard?: string[]) =>
  call({ amindexd: fakeIndexServer(heard) }, index({ config: 'daily' }, work));

describe('index', () => {
  test('lists hosts and disks', async () => {
    expect(await ask((session) => concat(session.hosts(), session.disks('db1')))).toEqual([
      'db1',
      '/home',
      'a b',
    ]);
  });

  test('lists dumps with their level and volumes', async () => {
    expect(await ask((session) => session.dumps(place))).toEqual([
      {
        datestamp: '20261103010000',
        level: 1,
        volumes: [
          { storage: 'main', label: 'lab-2', files: [1, 2] },
          { storage: 'main', label: 'lab-3', files: [1] },
        ],
      },
      {
        datestamp: '20261101010000',
        level: 0,
        volumes: [{ storage: 'main', label: 'lab-1', files: [1] }],
      },
    ]);
  });

  test('lists a directory at a date, with readable and with exact paths', async () => {
    const entries = await ask((session) => session.entries({ ...place, date: '20261103' }));
    expect(entries.map(({ path, escaped, dump }) => [path, escaped, dump.level])).toEqual([
      ['/', '/', 0],
      ['/one.txt', '/one.txt', 0],
      ['/grün.txt', '/gr\\303\\274n.txt', 0],
      ['/two.txt', '/two.txt', 1],
    ]);
    expect(entries[0]?.dump).toBe(entries[1]?.dump);
  });

  test('reads the entry of the disk list', async () => {
    const [dle] = await ask((session) => session.dle(place));
    expect(dle).toMatchObject({ program: 'GNUTAR', disk: '/home' });
  });

  test('asks one question after another, and tells each choice once', async () => {
    const heard: string[] = [];
    await ask(
      (session) => merge(session.dumps(place), session.dle(place), session.dumps(place)),
      heard,
    );
    expect(heard.slice(1)).toEqual([
      'SCNF daily',
      'HOST db1',
      'DISK /home',
      'DHST',
      'DLE',
      'DHST',
      'QUIT',
    ]);
  });

  test('keeps the order when a question is left early', async () => {
    const values = await ask((session) =>
      concat(session.disks('db1').pipe(take(1)), session.disks('db1')),
    );
    expect(values).toEqual(['/home', '/home', 'a b']);
  });

  test('quotes the directory', async () => {
    const heard: string[] = [];
    await ask(
      (session) => session.entries({ ...place, date: '20261103', directory: '/a "b"/' }),
      heard,
    );
    expect(heard).toContain('OLSD "/a \\"b\\""');
  });

  test.each([
    ['an unknown configuration', 'weekly', 'db1', 'SERVICE_FAILED', /Could not read config file/],
    ['an unknown host', 'daily', 'db2', 'SERVICE_FAILED', /refused "HOST db2"/],
  ])('fails for %s', async (_, config, host, code, message) => {
    const error = await failure(
      { amindexd: fakeIndexServer() },
      index({ config }, (session) => session.disks(host)),
    );
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  test('answers the next question after a refused one', async () => {
    const values = await ask((session) =>
      session.disks('db2').pipe(catchError(() => session.disks('db1'))),
    );
    expect(values).toEqual(['/home', 'a b']);
  });

  test.each([
    ['a reply without MESG', answering(reply({ streams: { DATA: says('x') } })), 'BAD_REPLY'],
    ['an ERROR', answering(reply({ lines: ['ERROR no'] })), 'SERVICE_FAILED'],
    [
      'a server that ends early',
      answering(reply({ streams: { MESG: says('220 ready\r\n') } })),
      'INCOMPLETE_DUMP',
    ],
    [
      'a server that breaks',
      answering(reply({ streams: { MESG: breaks('220 ready\r\n') } })),
      'CONNECTION_LOST',
    ],
    [
      'a line without a code',
      answering(reply({ streams: { MESG: conversation('hello', () => []) } })),
      'BAD_REPLY',
    ],
    [
      'a server that falls silent',
      answering(reply({ streams: { MESG: conversation('220 ready', () => []) } })),
      'DATA_TIMEOUT',
    ],
  ])('fails for %s', async (_, amindexd, code) => {
    const error = await failure(
      { amindexd },
      index({ config: 'daily', silence: 50 }, (session) => session.hosts()),
    );
    expect(error).toMatchObject({ code });
  });

  test('ends the connection when it is left', async () => {
    const first = await firstValueFrom(
      against(
        { amindexd: fakeIndexServer() },
        index({ config: 'daily' }, (session) => session.disks('db1')),
      ),
    );
    expect(first).toBe('/home');
  });

  test.each(['2026', '2026-11-03', '202611030100'])('takes no date %j', async (date) => {
    const error = await failure(
      { amindexd: fakeIndexServer() },
      index({ config: 'daily' }, (session) => session.entries({ ...place, date })),
    );
    expect(error.code).toBe('BAD_ARGUMENT');
  });
});

describe('findEntries', () => {
  test('lists each dump, the newest first, and each version once', async () => {
    const heard: string[] = [];
    const found = await ask((session) => findEntries(session, place, globMatcher('*.txt')), heard);
    expect(found.map(({ path, dump }) => [path, dump.datestamp])).toEqual([
      ['/two.txt', '20261103010000'],
      ['/one.txt', '20261101010000'],
    ]);
    expect(heard.filter((command) => command.startsWith('ORLD'))).toHaveLength(2);
  });
});

describe('globMatcher', () => {
  test.each([
    ['*.txt', '/a/b.txt', true],
    ['*.txt', '/a/b.txt/', true],
    ['*.txt', '/b.txt.gz', false],
    ['/a/*', '/a/b', true],
    ['/a/*', '/a/b/c', false],
    ['a/**', '/a/b/c', true],
    ['/a/**/c', '/a/c', true],
    ['/a/**/c', '/a/b/d/c', true],
    ['/a/**/c', '/ab/c', false],
    ['?[a-c].md', '/xb.md', true],
    ['?[!a-c].md', '/xb.md', false],
    ['\\*', '/a', false],
    ['\\*', '/*', true],
    ['a.b', '/aXb', false],
    ['[', '/[', true],
    ['', '/', true],
  ])('%j and %j: %j', (pattern, path, expected) => {
    expect(globMatcher(pattern)(path)).toBe(expected);
  });
});
