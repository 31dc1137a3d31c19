// One more test for Stryker: the changed files load. A test file whose imports fail has no failing
// test, and Stryker would take that for a change that no test noticed.
import { join } from 'node:path';
import { test } from 'vitest';

test.each(JSON.parse(process.env.RX_AMANDA_SOURCES).filter((path) => path.endsWith('.ts')))(
  '%s loads',
  (path) => import(join(process.cwd(), path)),
);
