import { describe, test } from 'vitest';
import { memory } from '../../src/drivers/memory.js';
import { serve } from '../../src/target/serve.js';
import { complianceServices } from '../../src/testing/compliance-services.js';
import { driverCompliance } from '../../src/testing/driver-compliance.js';

describe('the memory driver', () => {
  const tests = driverCompliance(() => {
    const { driver, listener } = memory();
    const serving = serve(listener, complianceServices).subscribe();
    return {
      driver,
      stop: () => {
        serving.unsubscribe();
      },
    };
  });
  for (const { name, run } of tests) test(name, run);
});
