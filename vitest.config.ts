import { defineConfig } from 'vitest/config';

/** The runs of `npm test`, in its order. What lies in none of the other folders is a unit test. */
export default defineConfig({
  test: {
    projects: [
      project('unit', {
        include: ['test/**/*.test.ts'],
        exclude: [
          'test/marbles/**',
          'test/compliance/**',
          'test/web/browser/**',
          'test/interop/**',
          'test/package/**',
        ],
      }),
      project('marbles', { include: ['test/marbles/**/*.test.ts'] }),
      project('compliance', { include: ['test/compliance/**/*.test.ts'] }),
      // A browser wants both processors when frames are timed, and takes a while to start.
      project('web', {
        include: ['test/web/browser/**/*.test.ts'],
        fileParallelism: false,
        testTimeout: 60_000,
        hookTimeout: 60_000,
      }),
      // Real programs share ports, a user and log files: one after the other, and each is given its time.
      project('interop', {
        include: ['test/interop/**/*.test.ts'],
        fileParallelism: false,
        testTimeout: 60_000,
        hookTimeout: 60_000,
      }),
      // Looks at what is built: `npm test` builds before, `npx vitest run --project package` needs `npm run build` first.
      project('package', {
        include: ['test/package/**/*.test.ts'],
        testTimeout: 60_000,
        hookTimeout: 120_000,
      }),
    ],
  },
});

function project(
  name: string,
  options: {
    include: string[];
    exclude?: string[];
    fileParallelism?: boolean;
    testTimeout?: number;
    hookTimeout?: number;
  },
) {
  return { test: { name, ...options } };
}
