// Makes a fresh clone ready to run: node modules, build, and with --tests the real Amanda that the interop tests talk to. What is there already is left
// alone, and finding that out takes a fraction of a second.
//
//   node scripts/setup.mjs            node modules and build
//   node scripts/setup.mjs --clean    the same, with a build from nothing
//   node scripts/setup.mjs --tests    and the real programs
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { installModules } from './modules.mjs';
import { installRealPrograms } from './real-programs.mjs';
import { checkNode, say } from './tools.mjs';

/** Installs and builds what is missing. Resolves to a sentence for what failed, undefined when all is well. */
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
