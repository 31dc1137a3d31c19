import { randomBytes } from 'node:crypto';
import { describe, vi } from 'vitest';
import { serveCompliance, testCompliance } from '../support/compliance.js';
import { tcpNetwork } from '../support/cut-network.js';
import { loadWrappedDriver } from '../support/wrapped-driver.js';

vi.mock('rx-amanda', () => import('../../src/index.js'));
vi.mock('rx-amanda/driver', () => import('../../src/driver.js'));

const host = '127.0.0.1';
const key = randomBytes(32);

describe('a driver of a user that wraps each payload', () => {
  testCompliance(async () => {
    const { sealed, listenSealed } = await loadWrappedDriver();
    const { port, stop } = await serveCompliance((onListening) =>
      listenSealed({ port: 0, key, onListening }),
    );
    const network = await tcpNetwork(host, port);
    return {
      driver: sealed({ host, port: network.port, key }),
      nowhere: sealed({ host, port: 1, key }),
      cut: () => network.cut(),
      peers: { target: { address: host, port: network.port }, initiator: { address: host } },
      stop: () => {
        stop();
        network.close();
      },
    };
  });
});
