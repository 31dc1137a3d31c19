// `npm run fuzz|floods|faults|soak -- …`: long forms of tests that `npm test` runs in short.
// Further words go to vitest.
import { setup } from './setup.mjs';
import { moduleFile, run, say } from './tools.mjs';

/** Test files, and the environment that makes them long. Variables that are set already win. */
const loads = {
  fuzz: {
    files: ['test/fuzz', 'test/faults/cut-', 'test/faults/flood.test', 'test/faults/hostile'],
    env: { FUZZ_RUNS: '100' },
  },
  floods: {
    files: ['test/faults/floods.test', 'test/faults/strangers.test'],
    env: { FUZZ_RUNS: '100' },
  },
  faults: {
    files: [
      'test/faults/kills.test',
      'test/faults/failing-calls.test',
      'test/faults/full-disk.test',
      'test/faults/swapped-paths.test',
    ],
    env: { FUZZ_RUNS: '100' },
  },
  soak: { files: ['test/faults/soak.test'], env: { SOAK_MINUTES: '30' } },
};

/** Seconds that a load may take. */
const MOST_SECONDS = 3 * 3600;

const [name, ...words] = process.argv.slice(2);
const load = loads[name];
if (load === undefined) {
  say(`load: one of ${Object.keys(loads).join(', ')}, not "${name ?? ''}"`);
  process.exit(2);
}
const failure = await setup();
if (failure === undefined) {
  const env = { ...load.env, ...process.env };
  const vitest = [
    moduleFile('vitest/vitest.mjs'),
    'run',
    '--project',
    'unit',
    ...load.files,
    ...words,
  ];
  const ran = await run(process.execPath, vitest, { env, show: true, seconds: MOST_SECONDS });
  if (ran.error !== undefined) say(`load: ${ran.error}`);
  process.exitCode = ran.status;
} else {
  say(failure);
  process.exitCode = 1;
}
