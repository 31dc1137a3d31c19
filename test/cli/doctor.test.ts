import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { reply } from '../../src/exchange/service.js';
import { fakeEnvironment } from './fake-environment.js';

const features = 'ffffffff9efefbfffffffffffffff3fffbf71f';
const services = {
  noop: () => of(reply({ lines: [`OPTIONS features=${features};`] })),
  selfcheck: () => of(reply()),
  sendsize: () => of(reply()),
  sendbackup: () => of(reply()),
};

describe('rx-amanda doctor', () => {
  it('prints a line a check, and that there is nothing to fix', async () => {
    const fake = fakeEnvironment({ services });
    expect(await main(['doctor', 'one'], fake.environment)).toBe(0);
    const lines = fake.out().trimEnd().split('\n');
    expect(lines.slice(0, -1).map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
      ['ok', 'configuration.choice'],
      ['ok', 'request.noop'],
      ['ok', 'capabilities.features'],
      ['ok', 'capabilities.time'],
      ['ok', 'request.services'],
    ]);
    expect(lines.at(-1)).toMatch(/^Nothing to fix: 5 checks, all well, in \d\.\d\d s\.$/);
  });

  it('prints findings alone with --quiet, and first what to fix', async () => {
    const fake = fakeEnvironment();
    expect(await main(['doctor', 'one', '--quiet'], fake.environment)).toBe(1);
    expect(fake.out().split('\n')).toEqual([
      expect.stringMatching(/^FAILED {2}request\.noop {12}one refuses noop: noop: invalid service/),
      expect.stringMatching(/^ {8}fix {3}On one, add noop to amandad's arguments/),
      '        see   docs/doctor.md#service-not-enabled',
      '',
      expect.stringMatching(
        /^First to fix: request\.noop: On one, add noop to amandad's arguments/,
      ),
      '',
    ]);
  });

  it('prints one document with --json', async () => {
    const fake = fakeEnvironment();
    expect(await main(['doctor', 'one', '--json'], fake.environment)).toBe(1);
    const document = JSON.parse(fake.out()) as { readonly checks: readonly object[] };
    expect(document).toMatchObject({
      version: 1,
      host: 'one',
      auth: 'bsdtcp',
      exitCode: 1,
      first: 'request.noop',
    });
    expect(document.checks.find((check) => 'skippedBy' in check && check.skippedBy)).toEqual({
      id: 'request.services',
      group: 'request',
      status: 'skipped',
      message: 'skipped, because request.noop failed',
      evidence: [],
      fix: null,
      doc: null,
      ms: 0,
      skippedBy: 'request.noop',
    });
  });

  it('examines several hosts, each with its own end', async () => {
    const fake = fakeEnvironment({ services });
    expect(await main(['doctor', 'one', 'two:10099', '-q'], fake.environment)).toBe(0);
    expect(
      fake
        .out()
        .trimEnd()
        .split('\n')
        .map((line) => line.split(':')[0]),
    ).toEqual(expect.arrayContaining(['one', 'two', 'Nothing to fix']));
    expect(fake.chosen.map(({ port }) => port)).toEqual([undefined, 10_099]);
  });

  it('takes no HOST with --local', async () => {
    const fake = fakeEnvironment();
    expect(await main(['doctor', '--local', 'one'], fake.environment)).toBe(2);
    expect(fake.err()).toMatch(/"one" is one word too many/);
  });
});
