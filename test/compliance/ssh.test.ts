import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, test } from 'vitest';
import { ssh } from '../../src/drivers/ssh.js';
import { driverCompliance } from '../../src/testing/driver-compliance.js';
import { describeUnless } from '../support/skips.js';
import { startSshd, whyNoSshd, type Sshd } from '../support/sshd.js';

/** The target runs in a process of its own, from the build. The PATH that sshd gives it may be without node. */
const target = fileURLToPath(new URL('../support/compliance-amandad.mjs', import.meta.url));

describeUnless(whyNoSshd(), 'the ssh driver', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.close());

  const tests = driverCompliance(() => ({
    driver: ssh({ ...sshd.login, amandadPath: `'${process.execPath}' '${target}'` }),
    stop: () => undefined,
  }));
  for (const { name, run } of tests) test(name, { timeout: 30_000 }, run);
});
