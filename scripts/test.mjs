// `npm test`: everything that has to be true of this checkout, in one run. A step that fails does not keep the others from running. The last line counts.
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, installModules, installRealPrograms } from './setup.mjs';
import { writeProven } from './proven.mjs';
import { checkNode, moduleFile, npm, root, run, say } from './tools.mjs';

/** Seconds for all of it; what has not ended by then fails. */
const ALL_SECONDS = 19 * 60;

checkNode();
const started = Date.now();
const scratch = await mkdtemp(join(tmpdir(), 'rx-amanda-test-'));
const env = {
  ...process.env,
  ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }),
};

/** What every step resolves to: how many tests passed, and the names of those that did not. */
const nothing = { passed: 0, failed: [], skipped: [] };
const done = [];
/** Why the real Amanda is not there, when it is not. */
let withoutAmanda;

try {
  await step('node modules', () => outcome('node modules', installModules()));
  if (done[0].failed.length === 0) await allSteps();
} finally {
  await rm(scratch, { recursive: true, force: true });
}
report();

async function allSteps() {
  withoutAmanda = await installRealPrograms();
  await step('lint', () => tool('lint', 'eslint/bin/eslint.js', ['--max-warnings', '0', '.'], 300));
  await step('format', () =>
    tool('format', 'prettier/bin/prettier.cjs', ['--check', '--log-level=warn', '.'], 120),
  );
  await step('types', () =>
    tool('types', 'typescript/bin/tsc', ['-p', 'tsconfig.json', '--noEmit'], 180),
  );
  await step('page types', () =>
    tool(
      'page types',
      'typescript/bin/tsc',
      ['-p', 'src/cli/web/page/tsconfig.json', '--noEmit'],
      60,
    ),
  );
  await step('build', () => outcome('build', build()));
  await step('unit', () => tests('unit', 420));
  await step('marbles', () => tests('marbles', 180));
  await step('compliance', () => tests('compliance', 300));
  await step('web', () => tests('web', 180));
  await step('interop', () => tests('interop', 840));
  await noteWhatIsProven(done.at(-1));
  if (done.some(({ name, failed }) => name === 'build' && failed.length > 0)) {
    const reason = 'there is no build to look at';
    for (const name of ['publint', 'attw', 'package'])
      done.push({ name, seconds: 0, ...nothing, skipped: [{ name, reason }] });
    return;
  }
  await step('publint', () => onTarball('publint', 'publint/src/cli.js', ['run', '--strict'], []));
  await step('attw', () =>
    onTarball(
      'attw',
      '@arethetypeswrong/cli/dist/index.js',
      [],
      ['--profile', 'esm-only', '--no-emoji'],
    ),
  );
  await step('package', () => tests('package', 300));
}

async function step(name, body) {
  say(`\n== ${name}`);
  const begin = Date.now();
  const result = await body();
  const seconds = (Date.now() - begin) / 1000;
  done.push({ name, seconds, ...result });
  say(`== ${name}: ${word(result)} in ${seconds.toFixed(1)} s`);
}

/** The README's table of what is proven is what the last whole run has shown. */
async function noteWhatIsProven({ failed, skipped, suites = [] }) {
  if (failed.length > 0 || skipped.length > 0) return;
  if (await writeProven(join(root, 'README.md'), suites))
    say('The table in README.md of what is proven against the real Amanda was written anew.');
}

/** A step that is one test: it has failed when a sentence comes back. */
async function outcome(name, sentence) {
  const failure = await sentence;
  if (failure === undefined) return { ...nothing, passed: 1 };
  say(failure);
  return { ...nothing, failed: [name] };
}

/** A step that is one run of a tool; its output is shown when it fails. */
async function tool(name, file, words, seconds) {
  const ran = await run(process.execPath, [moduleFile(file), ...words], {
    env,
    seconds: within(seconds),
  });
  return outcome(
    name,
    ran.status === 0 ? undefined : [ran.output.trimEnd(), ran.error].filter(Boolean).join('\n'),
  );
}

async function onTarball(name, file, before, after) {
  const packed = await npm(['pack', '--ignore-scripts', '--pack-destination', scratch], {
    env,
    seconds: within(60),
  });
  const tarball = (await readdir(scratch)).find((entry) => entry.endsWith('.tgz'));
  if (tarball === undefined) return outcome(name, packed.output);
  return tool(name, file, [...before, join(scratch, tarball), ...after], 120);
}

/** A step that is one project of vitest.config.ts; every test of it counts. */
async function tests(project, seconds) {
  const results = join(scratch, `${project}.json`);
  const ran = await run(
    process.execPath,
    [
      moduleFile('vitest/vitest.mjs'),
      'run',
      '--project',
      project,
      '--allowOnly=false',
      '--reporter=default',
      `--reporter=${join(root, 'scripts/reporter.mjs')}`,
    ],
    { env: { ...env, RX_AMANDA_RESULTS: results }, show: true, seconds: within(seconds) },
  );
  const { passed, failed, skipped, suites } = await read(results);
  // A skip nobody gave a reason for is a test that was silently given up.
  for (const { name, reason } of skipped)
    if (reason === undefined) failed.push(`${name}: skipped without a reason`);
  if (passed + failed.length + skipped.length === 0)
    failed.push(`${project}: ${ran.error ?? 'no test was run'}`);
  else if (ran.status !== 0 && failed.length === 0)
    failed.push(`${project}: ${ran.error ?? `vitest ended with ${ran.status}`}`);
  return { passed, failed, skipped: skipped.filter(({ reason }) => reason !== undefined), suites };
}

async function read(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return { passed: 0, failed: [], skipped: [], suites: [] };
  }
}

function within(seconds) {
  return Math.max(1, Math.min(seconds, ALL_SECONDS - (Date.now() - started) / 1000));
}

function word({ failed, skipped }) {
  return failed.length > 0 ? 'FAILED' : skipped.length > 0 ? 'ok, with skips' : 'ok';
}

function report() {
  const failed = done.flatMap((one) => one.failed);
  const skipped = done.flatMap((one) => one.skipped);
  const passed = done.reduce((sum, one) => sum + one.passed, 0);
  const print = (text) => process.stdout.write(`${text}\n`);

  if (withoutAmanda !== undefined) print(`\nTHE REAL AMANDA WAS NOT THERE: ${withoutAmanda}`);
  if (skipped.length > 0) print(`\nSKIPPED, NOT PROVEN BY THIS RUN (${skipped.length}):`);
  for (const reason of new Set(skipped.map((one) => one.reason))) {
    print(`  because: ${reason}`);
    for (const one of skipped) if (one.reason === reason) print(`    - ${one.name}`);
  }
  if (failed.length > 0) print(`\nFAILED (${failed.length}):`);
  for (const name of failed) print(`  - ${name}`);

  print('');
  for (const one of done) {
    const counts = `${one.passed} passed, ${one.failed.length} failed, ${one.skipped.length} skipped`;
    print(
      `  ${one.name.padEnd(13)} ${`${one.seconds.toFixed(1)} s`.padStart(8)}  ${word(one).padEnd(15)} ${counts}`,
    );
  }
  print(`  ${'all'.padEnd(13)} ${`${((Date.now() - started) / 1000).toFixed(1)} s`.padStart(8)}\n`);
  print(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  if (failed.length > 0 || passed === 0) process.exitCode = 1;
}
