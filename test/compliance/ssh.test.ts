import { afterAll, beforeAll } from 'vitest';
import { ssh } from '../../src/drivers/ssh.js';
import { complianceAmandad, testCompliance } from '../support/compliance.js';
import { childProcesses } from '../support/cut-network.js';
import { describeUnless } from '../support/skips.js';
import { startSshd, whyNoSshd, type Sshd } from '../support/sshd.js';

describeUnless(whyNoSshd(), 'the ssh driver', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.close());

  testCompliance(() => ({
    // The PATH that sshd gives may be without node.
    driver: ssh({ ...sshd.login, amandadPath: `'${process.execPath}' '${complianceAmandad}'` }),
    nowhere: ssh({ ...sshd.login, port: 1 }),
    ...childProcesses(),
    peers: { target: { host: '127.0.0.1' }, initiator: { address: '127.0.0.1' } },
    stop: () => undefined,
  }));
});
