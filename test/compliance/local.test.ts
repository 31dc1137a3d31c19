import { hostname } from 'node:os';
import { describe } from 'vitest';
import { local } from '../../src/drivers/local.js';
import { complianceAmandad, testCompliance } from '../support/compliance.js';
import { childProcesses } from '../support/cut-network.js';

describe('the local driver', () => {
  testCompliance(() => ({
    driver: local({ amandadPath: complianceAmandad }),
    nowhere: local({ amandadPath: '/nosuch/amandad' }),
    ...childProcesses(),
    peers: { target: { host: 'localhost' }, initiator: { host: hostname() } },
    stop: () => undefined,
  }));
});
