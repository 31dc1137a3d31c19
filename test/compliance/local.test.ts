import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';
import { local } from '../../src/drivers/local.js';
import { driverCompliance } from '../../src/testing/driver-compliance.js';

/** The target runs in a process of its own, from the build. */
const amandadPath = fileURLToPath(new URL('../support/compliance-amandad.mjs', import.meta.url));

describe('the local driver', () => {
  const tests = driverCompliance(() => ({ driver: local({ amandadPath }), stop: () => undefined }));
  for (const { name, run } of tests) test(name, { timeout: 20_000 }, run);
});
