import { describe } from 'vitest';
import { memory } from '../../src/drivers/memory.js';
import { serve } from '../../src/target/serve.js';
import { complianceServices } from '../../src/testing/compliance/compliance-services.js';
import { testCompliance } from '../support/compliance.js';

describe('the memory driver', () => {
  testCompliance(() => {
    const { driver, listener, ...wire } = memory();
    const serving = serve(listener, complianceServices).subscribe();
    return {
      driver,
      nowhere: memory().driver,
      cut: () => wire.cut(),
      peers: { target: { host: 'target' }, initiator: { host: 'initiator' } },
      stop: () => serving.unsubscribe(),
    };
  });
});
