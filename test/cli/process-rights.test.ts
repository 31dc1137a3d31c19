import { describe, expect, it } from 'vitest';
import { excessRights, threadStatuses } from '../../src/cli/rx-amandad/process-rights.js';

const status = (fields: Readonly<Record<string, string>> = {}): string =>
  Object.entries({
    Name: 'node',
    Uid: '34\t34\t34\t34',
    Gid: '34\t34\t34\t34',
    Groups: '6 34 ',
    CapInh: '0000000000000000',
    CapPrm: '0000000000000000',
    CapEff: '0000000000000000',
    CapBnd: '000001ffffffffff',
    CapAmb: '0000000000000000',
    ...fields,
  })
    .map(([name, value]) => `${name}:\t${value}\n`)
    .join('');

const backup = { uid: 34, gid: 34, groups: [6, 34], group0: false, keepCapabilities: false };

describe('the rights that a process should not have', () => {
  it('are none when every id is the user’s, whatever the bounding set is', () => {
    expect(excessRights([status(), status({ Groups: '' })], backup)).toEqual([]);
  });

  it.each([
    [{ Uid: '34\t34\t0\t34' }, ['the saved user id 0']],
    [{ Uid: '0\t34\t34\t34' }, ['the real user id 0']],
    [{ Gid: '34\t0\t34\t0' }, ['the effective group id 0', 'the file system group id 0']],
    [{ Groups: '0 34' }, ['group 0']],
    [{ Groups: '34 7' }, ['group 7']],
    [{ CapPrm: '0000000000000400' }, ['the permitted capabilities 0x0000000000000400']],
    [{ CapEff: '0000000000000001' }, ['the effective capabilities 0x0000000000000001']],
    [{ CapInh: '0000000000000400' }, ['the inheritable capabilities 0x0000000000000400']],
    [{ CapAmb: '0000000000000004' }, ['the ambient capabilities 0x0000000000000004']],
  ])('are named: %j', (fields, names) => {
    expect(excessRights([status(), status(fields)], backup)).toEqual(names);
  });

  it('may be capabilities when these are wanted, and group 0 when it is the user’s', () => {
    const fields = { CapAmb: '0000000000000004', Groups: '0' };
    expect(
      excessRights([status(fields)], { ...backup, keepCapabilities: true, group0: true }),
    ).toEqual([]);
  });

  it('are unknown when the kernel does not say the ids', () => {
    expect(excessRights(['Name:\tnode\n'], backup)).toEqual([
      'an unknown user id',
      'an unknown group id',
    ]);
  });
});

describe('the status of the threads', () => {
  it('is undefined where there is no /proc', () => {
    expect(threadStatuses('/nonexistent/task')).toBeUndefined();
  });

  it('has a text for each of them', () => {
    expect(threadStatuses()?.length).toBeGreaterThan(1);
  });
});
