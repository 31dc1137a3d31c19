import { describe } from 'vitest';
import { describeFullBackup, needed, overBsdtcp } from '../support/full-backup.js';
import { describeReal } from '../support/real-amanda.js';
import { allServices, installRxAmandad } from '../support/rx-amandad.js';
import { describeUnless } from '../support/skips.js';
import { type Activation, activate } from '../support/systemd.js';

const notYet = 'rx-amandad does not take sockets by LISTEN_FDS yet';

describeReal('real Amanda without its amandad', needed, () => {
  describe('over bsdtcp: systemd starts rx-amandad', () => {
    describeActivated('StandardInput=socket');
    describeUnless(notYet, 'by LISTEN_FDS', () => {
      describeActivated('Accept=yes');
      describeActivated('Accept=no');
    });
  });
});

function describeActivated(activation: Activation): void {
  describeFullBackup(activation, {
    reach: async ({ sandbox }) => overBsdtcp(await activate(sandbox, activation, installRxAmandad(sandbox), ['-auth=bsdtcp', ...allServices])),
  });
}
