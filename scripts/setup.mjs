// Makes a fresh clone ready to run. What is there already stays; finding that out takes a fraction
// of a second.
//
//   node scripts/setup.mjs            installs the node modules and builds
//   node scripts/setup.mjs --clean    builds from nothing
//   node scripts/setup.mjs --tests    installs the real programs of the interop tests as well
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { installModules } from './modules.mjs';
import { installRealPrograms } from './real-programs.mjs';
import { checkNode, say } from './tools.mjs';

/** Installs and builds what is missing. Resolves to a sentence about a failure, or undefined. */
export async function setup({ clean = false } = {}) {
  checkNode();
  return (await installModules()) ?? (await build({ clean }));
}

export { build, installModules, installRealPrograms };

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  const failure = await setup({ clean: process.argv.includes('--clean') });
  if (process.argv.includes('--tests')) await installRealPrograms();
  if (failure !== undefined) {
    say(failure);
    process.exitCode = 1;
  }
}
