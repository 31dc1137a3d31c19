import { describe } from 'vitest';
import { bsd, listenBsd } from '../../src/drivers/datagram/bsd.js';
import { addresses, serveCompliance, testCompliance } from '../support/compliance.js';
import { acceptedConnections, udpNetwork } from '../support/cut-network.js';

describe.each(addresses)('the bsd driver over %s', (_family, host) => {
  testCompliance(async () => {
    const { port, stop } = await serveCompliance((onListening) =>
      listenBsd({ host, port: 0, onListening }),
    );
    const parts = [acceptedConnections(), await udpNetwork(host, port)] as const;
    const [, network] = parts;
    return {
      driver: bsd({ host, port: network.port, reservedPorts: false }),
      nowhere: bsd({ host, port: 1, reservedPorts: false }),
      cut: () => parts.forEach((part) => part.cut()),
      // A request and its reply are one datagram each, of 65,503 bytes with their heads.
      limits: { requestBytes: 65_000, losesSilently: true },
      peers: { target: { host, address: host, port: network.port }, initiator: { address: host } },
      stop: () => {
        stop();
        for (const part of parts) part.close();
      },
    };
  });
});
