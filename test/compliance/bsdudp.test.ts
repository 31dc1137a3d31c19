import { describe, test } from 'vitest';
import { userInfo } from 'node:os';
import { authorize } from '../../src/access/authorize.js';
import { bsdudp, listenBsdudp } from '../../src/drivers/bsdudp.js';
import { serve } from '../../src/target/serve.js';
import { complianceServices } from '../../src/testing/compliance-services.js';
import { driverCompliance } from '../../src/testing/driver-compliance.js';

const rules = `localhost ${userInfo().username} ${Object.keys(complianceServices).join(' ')} nosuch`;

describe.each([
  ['IPv4', '127.0.0.1'],
  ['IPv6', '::1'],
])('the bsdudp driver over %s', (_family, host) => {
  const tests = driverCompliance(
    () =>
      new Promise((resolve, reject) => {
        const listener = listenBsdudp({
          host,
          port: 0,
          onListening: (port) => {
            resolve({
              driver: bsdudp({ host, port, reservedPorts: false }),
              // A request and its reply are one datagram each, of 65,503 bytes with their heads.
              limits: { requestBytes: 65_000 },
              stop: () => {
                serving.unsubscribe();
              },
            });
          },
        });
        const serving = serve(listener, complianceServices, { authorize: authorize({ rules, reservedPort: false }) }).subscribe({ error: reject });
      }),
  );
  for (const { name, run } of tests) test(name, run);
});
