import { describe } from 'vitest';
import { bsdtcp, listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { addresses, serveCompliance, testCompliance } from '../support/compliance.js';
import { tcpNetwork } from '../support/cut-network.js';

describe.each(addresses)('the bsdtcp driver over %s', (_family, host) => {
  testCompliance(async () => {
    const { port, stop } = await serveCompliance((onListening) =>
      listenBsdtcp({ host, port: 0, onListening }),
    );
    const network = await tcpNetwork(host, port);
    return {
      driver: bsdtcp({ host, port: network.port, reservedPorts: false }),
      nowhere: bsdtcp({ host, port: 1, reservedPorts: false }),
      cut: () => network.cut(),
      peers: { target: { host, address: host, port: network.port }, initiator: { address: host } },
      stop: () => {
        stop();
        network.close();
      },
    };
  });
});
