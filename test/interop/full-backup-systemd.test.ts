import { describe } from 'vitest';
import { describeFullBackup, needed, overBsdtcp } from '../support/full-backup.js';
import { describeReal } from '../support/real-amanda.js';
import { allServices, installRxAmandad } from '../support/rx-amandad.js';
import { type Activation, activate } from '../support/systemd.js';

const activations: readonly Activation[] = ['StandardInput=socket', 'Accept=yes', 'Accept=no'];

describeReal('real Amanda without its amandad', needed, () => {
  describe('over bsdtcp: systemd starts rx-amandad', () => {
    for (const activation of activations) {
      describeFullBackup(activation, {
        reach: async ({ sandbox }) =>
          overBsdtcp(
            await activate(sandbox, activation, installRxAmandad(sandbox), [
              '-auth=bsdtcp',
              ...allServices,
            ]),
          ),
      });
    }
  });
});
