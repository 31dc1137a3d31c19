// Installs the node modules when node_modules differs from package-lock.json.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { npm, root, say } from './tools.mjs';

/** Runs `npm ci` if needed. Resolves to a sentence about a failure, else to undefined. */
export async function installModules() {
  const reason = await whatIsMissing();
  if (reason === undefined) return undefined;
  say(`setup: ${reason}; running npm ci`);
  // NODE_ENV=production would leave out development packages, so they are named.
  const ran = await npm(['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund']);
  if (ran.status === 0) return undefined;
  return `${ran.output}\nsetup: npm ci failed${ran.error === undefined ? '' : ` (${ran.error})`}. It needs a package registry or a filled npm cache.`;
}

/** Compares contents, because the times of a fresh checkout say nothing. */
async function whatIsMissing() {
  const wanted = await packagesIn('package-lock.json');
  const found = await packagesIn('node_modules/.package-lock.json');
  if (found === undefined) return 'there are no node modules';
  for (const [path, { version, integrity, optional }] of Object.entries(wanted ?? {})) {
    const there = found[path];
    // npm leaves out optional packages for other machines.
    if (path === '' || (there === undefined && optional === true)) continue;
    if (there?.version !== version || there?.integrity !== integrity)
      return `${path} is not as package-lock.json has it`;
  }
  return undefined;
}

async function packagesIn(file) {
  try {
    return JSON.parse(await readFile(join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}
