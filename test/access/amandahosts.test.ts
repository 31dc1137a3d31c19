import { describe, expect, test, vi } from 'vitest';
import { decide, type AccessQuestion } from '../../src/access/amandahosts.js';

const asked: AccessQuestion = {
  host: 'db1.lab',
  address: '10.0.0.1',
  user: 'backup',
  service: 'noop',
  localUser: 'backup',
  file: '/home/.amandahosts',
};

function allows(fileText: string, question: Partial<AccessQuestion> = {}): boolean {
  return decide(fileText, { ...asked, ...question }).kind === 'allowed';
}

function reason(fileText: string, question: Partial<AccessQuestion> = {}): string {
  const verdict = decide(fileText, { ...asked, ...question });
  return verdict.kind === 'refused' ? verdict.reason : 'allowed';
}

describe('which line allows', () => {
  test('a line of a host alone allows the local user and the four client services', () => {
    expect(
      ['noop', 'selfcheck', 'sendsize', 'sendbackup'].map((service) =>
        allows('db1.lab\n', { service }),
      ),
    ).toEqual([true, true, true, true]);
    expect(
      ['amdump', 'restore', 'senddiscover', 'amindexd', ''].map((service) =>
        allows('db1.lab\n', { service }),
      ),
    ).toEqual([false, false, false, false, false]);
    expect(allows('db1.lab\n', { user: 'root' })).toBe(false);
    expect(allows('db1.lab\n', { user: 'root', localUser: 'root' })).toBe(true);
  });

  test('amdump stands for the four client services and for itself', () => {
    expect(
      ['noop', 'selfcheck', 'sendsize', 'sendbackup', 'amdump'].every((service) =>
        allows('db1.lab backup amdump', { service }),
      ),
    ).toBe(true);
    expect(allows('db1.lab backup amdump', { service: 'amindexd' })).toBe(false);
  });

  test('services end at blanks, tabs and commas, and their case counts', () => {
    expect(allows('db1.lab\tbackup\tamindexd,\tamidxtaped', { service: 'amidxtaped' })).toBe(true);
    expect(allows('db1.lab backup amindexd,noop')).toBe(true);
    expect(allows('db1.lab backup NOOP')).toBe(false);
    expect(allows('db1.lab backup AMDUMP')).toBe(false);
  });

  test('a line whose services are commas alone names none', () => {
    expect(allows('db1.lab backup ,,')).toBe(true);
  });

  test('host and user do not end at a comma', () => {
    expect(allows('db1.lab backup, noop')).toBe(false);
    expect(allows('db1.lab, backup noop')).toBe(false);
  });

  test('host and user are compared without regard to the case of A to Z, and of no other letter', () => {
    expect(allows('DB1.Lab BACKUP noop')).toBe(true);
    expect(allows('db1.lab bac\u212aup noop')).toBe(false);
  });

  test('the first line that allows decides, and no line denies', () => {
    expect(
      allows('db1.lab backup amindexd\n\n  other backup\n \t \n  db1.lab   backup   noop'),
    ).toBe(true);
  });

  test('there are no comments, no wildcards and no addresses', () => {
    expect(allows('db1.lab backup amdump # trailing')).toBe(true);
    expect(allows('#db1.lab backup amdump')).toBe(false);
    expect(allows('* backup\n+ +\n10.0.0.1 backup')).toBe(false);
  });

  test('a CR is part of the last word', () => {
    expect(allows('db1.lab backup amdump\r\n')).toBe(false);
    expect(allows('db1.lab backup\r\n')).toBe(false);
    expect(allows('db1.lab backup noop \r\n')).toBe(true);
  });

  test('what follows a NUL in a line is not there', () => {
    expect(allows('db1.lab backup\0x')).toBe(true);
    expect(allows('\0db1.lab backup')).toBe(false);
  });

  test('localhost matches a peer of a loopback address whatever its name', () => {
    expect(allows('localhost backup', { address: '127.0.0.1' })).toBe(true);
    expect(allows('LocalHost.LocalDomain backup', { address: '::1' })).toBe(true);
    expect(allows('localhost backup', { address: '127.0.0.2' })).toBe(false);
    expect(allows('localhost backup', { address: undefined })).toBe(false);
    expect(allows('db2.lab backup', { address: '127.0.0.1' })).toBe(false);
    expect(allows('localhost backup', { address: '10.0.0.1', host: 'localhost' })).toBe(true);
  });

  test('a name that was not UTF-8 matches nothing, not even itself', () => {
    expect(allows('db1.lab m\ufffdller', { user: 'm\ufffdller' })).toBe(false);
  });

  test('an empty text allows nothing', () => {
    expect(allows('')).toBe(false);
  });
});

describe('the reason of a refusal', () => {
  test('advises the line to add, on the client for the client services', () => {
    expect(reason('', { service: 'sendsize' })).toBe(
      'Please add the line "db1.lab backup amdump" to /home/.amandahosts on the client',
    );
    expect(reason('', { service: 'amdump' })).toBe(
      'Please add the line "db1.lab backup amdump" to /home/.amandahosts on the client',
    );
  });

  test('advises the line to add, on the server for the recovery services', () => {
    expect(reason('', { service: 'amidxtaped' })).toBe(
      'Please add the line "db1.lab backup amindexd amidxtaped" to /home/.amandahosts on the server',
    );
  });

  test('calls any other service invalid', () => {
    expect(reason('', { service: 'restore' })).toBe('/home/.amandahosts: invalid service restore');
  });
});

test('a file folds the asked user once, however many lines it has', () => {
  const user = 'BACKUP-OF-ALL';
  const folded: string[] = [];
  const replace = Object.getOwnPropertyDescriptor(String.prototype, 'replace')
    ?.value as typeof String.prototype.replace;
  const spy = vi.spyOn(String.prototype, 'replace').mockImplementation(function (
    this: string,
    ...args: unknown[]
  ) {
    folded.push(this);
    return Reflect.apply(replace, this, args) as string;
  });
  let isAllowed: boolean;
  try {
    isAllowed = allows('db1.lab somebody-else\n'.repeat(1_000), { user });
  } finally {
    spy.mockRestore();
  }
  expect(isAllowed).toBe(false);
  expect(folded.filter((text) => text === user)).toHaveLength(1);
});
