import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('../../', import.meta.url));

let copy: string | undefined;

/** What a program of ours needs to run. */
const needed = [
  'package.json',
  'dist',
  'node_modules/rxjs',
  'node_modules/tslib',
  'node_modules/@node-rs',
];

/** The programs as they are published; `npm test` builds them before. */
export const rxAmandad = join(reachable(), 'dist/bin/rx-amandad.cjs');
export const rxAmanda = join(reachable(), 'dist/cli/rx-amanda/rx-amanda.js');

/**
 * A folder with the program that user backup can read: this checkout, or a copy if only root can
 * read the checkout.
 */
function reachable(): string {
  if (copy !== undefined) return copy;
  if (process.getuid?.() !== 0 || isOpen(checkout)) return checkout;
  const place = mkdtempSync('/tmp/rx-amanda-program-');
  copy = place;
  process.once('exit', () => {
    rmSync(place, { recursive: true, force: true });
  });
  for (const entry of needed) {
    if (!existsSync(join(checkout, entry))) continue;
    mkdirSync(dirname(join(place, entry)), { recursive: true });
    cpSync(join(checkout, entry), join(place, entry), { recursive: true, dereference: true });
  }
  openToAll(place);
  return place;
}

/** Whether everybody may go through a folder and all above it. */
function isOpen(folder: string): boolean {
  if ((statSync(folder).mode & 0o005) !== 0o005) return false;
  return folder === '/' || isOpen(dirname(folder));
}

function openToAll(path: string): void {
  const isFolder = statSync(path).isDirectory();
  chmodSync(path, isFolder || path.endsWith('.js') || path.endsWith('.mjs') ? 0o755 : 0o644);
  if (isFolder) for (const name of readdirSync(path)) openToAll(join(path, name));
}
