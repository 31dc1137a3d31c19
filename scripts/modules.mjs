// The node modules: installed when what lies in node_modules is not what package-lock.json says.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { npm, root, say } from './tools.mjs';

/** Runs `npm ci` where it is needed. Resolves to a sentence for what failed, undefined when all is well. */
export async function installModules() {
  const reason = await whatIsMissing();
  if (reason === undefined) return undefined;
  say(`setup: ${reason}; running npm ci`);
  // Development packages are named, since NODE_ENV=production would leave them out.
  const ran = await npm(['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund']);
  if (ran.status === 0) return undefined;
  return `${ran.output}\nsetup: npm ci failed${ran.error === undefined ? '' : ` (${ran.error})`}. It needs a package registry or a filled npm cache.`;
}

/** Compares contents, not times: a fresh checkout's times say nothing. */
async function whatIsMissing() {
  const wanted = await packagesIn('package-lock.json');
  const found = await packagesIn('node_modules/.package-lock.json');
  if (found === undefined) return 'there are no node modules';
  for (const [path, { version, integrity, optional }] of Object.entries(wanted ?? {})) {
    const there = found[path];
    // What is optional is not installed on a machine that it is not for.
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
