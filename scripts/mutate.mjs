// `npm run mutate -- FILE[:FROM-TO]… [TEST…]`: Stryker changes the named files under src/, or lines
// of them. It makes one change at a time, and reports each change that no test notices.
//
// Paths under test/ limit the tests to those files or folders, which is much faster. Without any,
// every test of the projects unit and marbles that imports a named file runs, except LEFT_OUT.
// Texts of errors are not changed (scripts/mutate-messages.mjs says which). CI does not run this.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { installModules } from './modules.mjs';
import { root, say } from './tools.mjs';

/** The other projects, and folders whose tests start programs or take long. */
const LEFT_OUT = ['test/{cli,compliance,faults,fuzz,interop,package,tap,web}/**'];

const named = process.argv.slice(2).map((path) => relative(root, resolve(root, path)));
const missing = named.filter(
  (path) => !/^(src|test)\//.test(path) || !existsSync(join(root, path.replace(/:\d+-\d+$/, ''))),
);
const sources = named.filter((path) => path.startsWith('src/'));
const tests = named.filter((path) => path.startsWith('test/'));

const failure =
  missing.length > 0
    ? `mutate: neither in src/ nor in test/: ${missing.join(', ')}`
    : sources.length === 0
      ? 'mutate: name at least one file or folder under src/'
      : await installModules();
if (failure === undefined) await mutate();
else {
  say(failure);
  process.exitCode = 1;
}

async function mutate() {
  const { Stryker } = await import('@stryker-mutator/core');
  const scratch = mkdtempSync(join(tmpdir(), 'rx-amanda-mutate-'));
  // For mutate.vitest.mjs. Stryker's own option `testFiles` switches mutants of what is created
  // while a module loads on too late, so all of them survive.
  const chosen = tests.length > 0 ? { include: tests.map(testFiles) } : { exclude: LEFT_OUT };
  process.env.RX_AMANDA_TESTS = JSON.stringify(chosen);
  process.env.RX_AMANDA_SOURCES = JSON.stringify(sources.map((path) => path.split(':')[0]));
  try {
    const mutants = await new Stryker({
      mutate: sources.map(files),
      testRunner: 'vitest',
      vitest: { configFile: 'scripts/mutate.vitest.mjs', related: tests.length === 0 },
      coverageAnalysis: 'perTest',
      plugins: ['@stryker-mutator/vitest-runner', join(root, 'scripts/mutate-messages.mjs')],
      ignorers: ['messages'],
      concurrency: 2,
      timeoutMS: 1_500,
      // Nothing is written into the checkout.
      tempDirName: scratch,
      reporters: ['clear-text', ...(process.stdout.isTTY ? ['progress'] : [])],
      clearTextReporter: { allowColor: process.stdout.isTTY, reportTests: false, logTests: false },
      disableTypeChecks: false,
      logLevel: 'warn',
    }).runMutationTest();
    summary(mutants);
  } catch (error) {
    say(`mutate: ${error.message}`);
    process.exitCode = 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function files(path) {
  return path.includes('.ts') ? path : `${path}/**/*.ts`;
}

function testFiles(path) {
  return isFolder(path) ? `${path}/**/*.test.ts` : path;
}

function isFolder(path) {
  return statSync(join(root, path)).isDirectory();
}

/** The last line: how many of the mutants that count were killed. */
function summary(mutants) {
  const count = (...states) => mutants.filter(({ status }) => states.includes(status)).length;
  const killed = count('Killed', 'Timeout');
  const all = killed + count('Survived', 'NoCoverage');
  const percent = all === 0 ? 100 : (100 * killed) / all;
  say(`${killed} of ${all} mutants killed (${percent.toFixed(1)} %)`);
}
