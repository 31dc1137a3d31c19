import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';
import { rsh } from '../../src/drivers/rsh.js';
import { driverCompliance } from '../../src/testing/driver-compliance.js';

const command = fileURLToPath(new URL('../support/stand-in-rsh.sh', import.meta.url));
const target = fileURLToPath(new URL('../support/compliance-amandad.mjs', import.meta.url));

describe('the rsh driver', () => {
  const tests = driverCompliance(() => ({
    driver: rsh({ host: 'localhost', command, amandadPath: `'${process.execPath}' '${target}'` }),
    stop: () => undefined,
  }));
  for (const { name, run } of tests) test(name, { timeout: 20_000 }, run);
});
