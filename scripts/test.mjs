// `npm test`: everything that has to be true of this checkout, in one run.
//
//   npm test                     every step
//   npm run test:quick           lint, format, types, unit, marbles
//   npm test -- unit interop     the steps named, and the build if they need one
//
// A failed step does not stop the others. The last line counts. No file of the checkout changes,
// unless `--update` (`npm run proven`) has docs/proven.md written instead of compared.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installModules, installRealPrograms } from './setup.mjs';
import { report, word } from './report.mjs';
import { makeSteps, outcome } from './steps.mjs';
import { checkNode, say } from './tools.mjs';

/** Seconds for the whole run; a step that has not ended by then fails. */
const ALL_SECONDS = 19 * 60;
const QUICK = ['lint', 'format', 'types', 'page types', 'unit', 'marbles'];

checkNode();
const words = process.argv.slice(2);
/** The rows run one after the other, the lanes of a row side by side. */
const rows = [
  [['lint'], ['programs', 'format', 'types', 'page types', 'build', 'unit', 'marbles']],
  [['compliance']],
  [['web']],
  [['interop', 'proven']],
  [['publint', 'attw'], ['package']],
];
const named = namedSteps();
const started = Date.now();
const scratch = await mkdtemp(join(tmpdir(), 'rx-amanda-test-'));
const steps = makeSteps({
  scratch,
  update: words.includes('--update'),
  within: (seconds) => Math.max(1, Math.min(seconds, ALL_SECONDS - (Date.now() - started) / 1000)),
});
const wanted = wantedSteps();
const done = [];
/** Why the real Amanda could not be installed; undefined when it is there. */
let withoutAmanda;

try {
  const modules = await step('node modules', async () =>
    outcome('node modules', await installModules()),
  );
  if (modules.failed.length === 0)
    for (const lanes of rows) await Promise.all(lanes.map((lane) => runLane(lane)));
} finally {
  await rm(scratch, { recursive: true, force: true });
}
report({ done, withoutAmanda, seconds: (Date.now() - started) / 1000 });

function namedSteps() {
  const all = rows.flat(2);
  if (words.includes('--quick')) return QUICK;
  const names = words.filter((name) => !name.startsWith('--'));
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    say(`test: there is no step "${unknown}"; there are ${all.join(', ')}.`);
    process.exit(2);
  }
  return names.length > 0 ? names : all;
}

/** The steps named, and those that they need. */
function wantedSteps() {
  const closure = new Set(named);
  for (const name of closure) for (const other of steps[name]?.needs ?? []) closure.add(other);
  return closure;
}

async function runLane(names) {
  for (const name of names) {
    if (!wanted.has(name)) continue;
    if (name === 'programs') withoutAmanda = await installRealPrograms();
    else await step(name, () => steps[name].run(done));
  }
}

async function step(name, body) {
  say(`\n== ${name}`);
  const begin = Date.now();
  const result = await body();
  const seconds = (Date.now() - begin) / 1000;
  done.push({ name, seconds, ...result });
  say(`== ${name}: ${word(result)} in ${seconds.toFixed(1)} s`);
  return result;
}
