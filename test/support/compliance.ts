import { userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { authorize } from '../../src/access/authorize.js';
import type { Listener } from '../../src/drivers/driver.js';
import { serve } from '../../src/target/serve.js';
import { complianceServices } from '../../src/testing/compliance/compliance-services.js';
import {
  driverCompliance,
  type ComplianceSetup,
} from '../../src/testing/compliance/driver-compliance.js';

/** Where sockets are tried. */
export const addresses = [
  ['IPv4', '127.0.0.1'],
  ['IPv6', '::1'],
] as const;

/**
 * A program that serves the suite on standard input and output, in a process of its own and from
 * the build.
 */
export const complianceAmandad = fileURLToPath(new URL('compliance-amandad.mjs', import.meta.url));

/**
 * Runs the suite over a driver. Whole transfers over slow drivers take their time on a busy
 * machine.
 */
export function testCompliance(setup: () => ComplianceSetup | Promise<ComplianceSetup>): void {
  for (const { name, run } of driverCompliance(setup)) test(name, { timeout: 70_000 }, run);
}

/** Serves the suite where a listener listens; resolves with its port when it does. */
export function serveCompliance(
  listen: (onListening: (port: number) => void) => Listener,
): Promise<{ readonly port: number; readonly stop: () => void }> {
  const rules = `localhost ${userInfo().username} ${Object.keys(complianceServices).join(' ')} nosuch`;
  return new Promise((resolve, reject) => {
    const listener = listen((port) => {
      resolve({ port, stop: () => serving.unsubscribe() });
    });
    const serving = serve(listener, complianceServices, {
      authorize: authorize({ rules, reservedPort: false }),
    }).subscribe({ error: reject });
  });
}
