import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  closeSystem,
  examineSystem,
  holdPort,
  openSystem,
  remove,
  write,
} from '../support/local-system.js';
import { describeUnless, notRoot } from '../support/skips.js';

describeUnless(notRoot(), 'rx-amanda doctor --local on a healthy target', () => {
  beforeEach(() => {
    openSystem();
  });
  afterEach(closeSystem);

  it('finds nothing to fix on a healthy system', async () => {
    const checks = await examineSystem();
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(checks.length).toBeGreaterThan(12);
  });

  it.each(['rx-amandad.service', 'rx-amandad@.service'])(
    'finds nothing to fix with our unit %s',
    async (unit) => {
      remove('etc/xinetd.d/amanda');
      for (const name of [unit, 'rx-amandad.socket'])
        write(
          `etc/systemd/system/${name}`,
          readFileSync(new URL(`../../system/${name}`, import.meta.url), 'latin1'),
        );
      write('usr/local/bin/rx-amandad', '', 0o755);
      holdPort('/sbin/init\0');
      const checks = await examineSystem();
      expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
      expect(checks.find(({ id }) => id === 'local.listening')?.message).toBe(
        'Port 10080 is open: /sbin/init.',
      );
    },
  );

  it.each(['-own', '-services=own'])('asks for no Amanda with services of %s', async (word) => {
    remove('etc/xinetd.d/amanda');
    remove('usr/lib/amanda');
    remove('var/lib/amanda');
    holdPort(`node\0rx-amandad\0-auth=bsdtcp\0${word}\0`);
    const checks = await examineSystem();
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
  });

  it('finds the daemon that owns the port', async () => {
    remove('etc/xinetd.d/amanda');
    holdPort('node\0rx-amandad\0-auth=bsdtcp\0');
    const checks = await examineSystem();
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(checks.find(({ id }) => id === 'local.listener')?.message).toBe(
      'Port 10080 is open: node rx-amandad -auth=bsdtcp.',
    );
  });
});
