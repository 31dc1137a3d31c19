import { afterAll, describe } from 'vitest';
import { listenSsl, ssl } from '../../src/drivers/ssl/ssl.js';
import { openCertificates } from '../support/certificates.js';
import { addresses, serveCompliance, testCompliance } from '../support/compliance.js';
import { tcpNetwork } from '../support/cut-network.js';

const certificates = openCertificates();
const authority = certificates.authority('ca');
const sslDir = certificates.sslDir('ssl', authority, certificates.signed('me', authority));
afterAll(() => certificates.close());

/** Not every machine has ::1 under the name of localhost. */
const names = {
  resolver: {
    nameOf: () => ['localhost'],
    addressesOf: () => [['127.0.0.1', '::1']],
    canonicalOf: () => ['localhost'],
  },
};

describe.each(addresses)('the ssl driver over %s', (_family, host) => {
  testCompliance(async () => {
    const { port, stop } = await serveCompliance((onListening) =>
      listenSsl({ host, port: 0, sslDir, names, onListening }),
    );
    const network = await tcpNetwork(host, port);
    return {
      driver: ssl({ host, port: network.port, sslDir, names }),
      nowhere: ssl({ host, port: 1, sslDir, names }),
      cut: () => network.cut(),
      peers: {
        target: { address: host, port: network.port },
        initiator: { host: 'localhost', address: host },
      },
      stop: () => {
        stop();
        network.close();
      },
    };
  });
});
