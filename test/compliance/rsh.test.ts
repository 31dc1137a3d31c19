import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { rsh } from '../../src/drivers/rsh.js';
import { complianceAmandad, testCompliance } from '../support/compliance.js';
import { childProcesses } from '../support/cut-network.js';

const command = fileURLToPath(new URL('../support/stand-in-rsh.sh', import.meta.url));

describe('the rsh driver', () => {
  testCompliance(() => ({
    driver: rsh({
      host: 'localhost',
      command,
      amandadPath: `'${process.execPath}' '${complianceAmandad}'`,
    }),
    nowhere: rsh({ host: 'localhost', command, amandadPath: '/nosuch/amandad' }),
    ...childProcesses(),
    peers: { target: { host: 'localhost' } },
    stop: () => undefined,
  }));
});
