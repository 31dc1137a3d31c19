import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Workers for tests that compute. */
const COMPUTING = availableParallelism();
/** Workers for tests that mostly wait for other programs. */
const WAITING = 2 * COMPUTING;
/** Real programs take their time. */
const PATIENT = { testTimeout: 60_000, hookTimeout: 120_000 };

/** The test runs of `npm test`. A test outside the other folders is a unit test. */
const projects = [
  {
    name: 'unit',
    include: ['test/**/*.test.ts'],
    exclude: ['test/{compliance,interop,marbles,package,web/browser}/**'],
    maxWorkers: COMPUTING,
  },
  { name: 'marbles', include: ['test/marbles/**/*.test.ts'], maxWorkers: COMPUTING },
  { name: 'compliance', include: ['test/compliance/**/*.test.ts'], maxWorkers: WAITING },
  // A browser needs every processor while its frames are timed.
  { name: 'web', include: ['test/web/browser/**/*.test.ts'], maxWorkers: 1, ...PATIENT },
  // Each lab has its own folders, ports and logs, so that all of them can run side by side.
  {
    name: 'interop',
    include: ['test/interop/**/*.test.ts'],
    maxWorkers: WAITING,
    maxConcurrency: 10,
    ...PATIENT,
  },
  // Looks at what is built. `npm test` builds it; alone it needs `npm run build` first.
  {
    name: 'package',
    include: ['test/package/**/*.test.ts'],
    maxWorkers: COMPUTING,
    ...PATIENT,
  },
];

export default defineConfig({
  test: {
    // Vitest wants a group for each number of workers; so the projects run one after the other.
    projects: projects.map((project, groupOrder) => ({
      test: { ...project, sequence: { groupOrder } },
    })),
  },
});
