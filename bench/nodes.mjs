/** The versions of Node that a bench is measured on: this one, and those named with `--node`. */
import { execFileSync } from 'node:child_process';

export function nodes(paths) {
  const others = paths.map((path) => ({ path, version: versionOf(path) }));
  const all = [{ path: process.execPath, version: process.version }, ...others];
  return all.filter(
    ({ version }, index) => index === all.findIndex((node) => node.version === version),
  );
}

function versionOf(path) {
  return execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
}

/** What to say when no other version was named. */
export const howToAddNodes =
  'Other versions: npm install --prefix DIR node@24, then --node DIR/node_modules/node/bin/node.';
