import { userInfo } from 'node:os';
import { afterAll, describe, test } from 'vitest';
import { authorize } from '../../src/access/authorize.js';
import { listenSsl, ssl } from '../../src/drivers/ssl.js';
import { serve } from '../../src/target/serve.js';
import { complianceServices } from '../../src/testing/compliance-services.js';
import { driverCompliance } from '../../src/testing/driver-compliance.js';
import { openCertificates } from '../support/certificates.js';

const rules = `localhost ${userInfo().username} ${Object.keys(complianceServices).join(' ')} nosuch`;
const certificates = openCertificates();
const authority = certificates.authority('ca');
const sslDir = certificates.sslDir('ssl', authority, certificates.signed('me', authority));
afterAll(() => certificates.close());

/** Not every machine has ::1 under the name of localhost. */
const names = { resolver: { nameOf: () => ['localhost'], addressesOf: () => [['127.0.0.1', '::1']], canonicalOf: () => ['localhost'] } };

describe.each([
  ['IPv4', '127.0.0.1'],
  ['IPv6', '::1'],
])('the ssl driver over %s', (_family, host) => {
  const tests = driverCompliance(
    () =>
      new Promise((resolve, reject) => {
        const listener = listenSsl({
          host,
          port: 0,
          sslDir,
          names,
          onListening: (port) => {
            resolve({
              driver: ssl({ host, port, sslDir, names }),
              stop: () => {
                serving.unsubscribe();
              },
            });
          },
        });
        const serving = serve(listener, complianceServices, { authorize: authorize({ rules, reservedPort: false }) }).subscribe({ error: reject });
      }),
  );
  for (const { name, run } of tests) test(name, { timeout: 20_000 }, run);
});
