import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';

/** The top of the checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A file of a tarball as npm lists it. */
export interface PackedFile {
  readonly path: string;
  readonly mode: number;
}

/** What a program that ran to its end said. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What of package.json these tests look at. */
export interface Manifest {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly man: readonly string[];
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Runs a program; a status other than 0 is a result, not an error. */
export function run(command: string, parameters: readonly string[], cwd = root): Promise<Ran> {
  return new Promise((done) => {
    execFile(command, [...parameters], { cwd, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      done({ status, stdout, stderr });
    });
  });
}

/** The package.json of this checkout. */
export async function manifest(): Promise<Manifest> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
}

/**
 * Packs a folder as npm would publish it, from what is built already. Resolves to the tarball's
 * path and its files.
 */
export async function pack(
  folder: string,
  into: string,
): Promise<{ tarball: string; files: readonly PackedFile[] }> {
  const { stdout, stderr } = await run('npm', [
    'pack',
    resolve(root, folder),
    '--ignore-scripts',
    '--json',
    '--pack-destination',
    into,
  ]);
  const [packed] = JSON.parse(stdout) as { filename: string; files: PackedFile[] }[];
  if (packed === undefined) throw new Error(`npm pack ${folder} made nothing: ${stderr}`);
  return { tarball: join(into, packed.filename), files: packed.files };
}

/** A new empty folder outside of the checkout. */
export function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'rx-amanda-package-'));
}

/**
 * A program's folder, for all tests of a file, in which the packages are those of this checkout.
 */
export function inProgramFolder(...packages: readonly string[]): (path: string) => string {
  let folder: string;
  beforeAll(async () => {
    folder = await newFolder();
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await mkdir(join(folder, 'node_modules'));
    await symlink(root, join(folder, 'node_modules/rx-amanda'));
    for (const name of packages)
      await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return (path) => join(folder, path);
}

/** The names under which the package is imported: `rx-amanda`, `rx-amanda/wire`, … */
export async function entries(): Promise<readonly string[]> {
  return Object.keys((await manifest()).exports)
    .filter((path) => !path.endsWith('.json'))
    .map((path) => `rx-amanda${path.slice(1)}`);
}

/** The TypeScript files under a folder of the checkout, relative to it, sorted. */
export async function sourcesUnder(folder: string): Promise<readonly string[]> {
  const names = await readdir(join(root, folder), { recursive: true });
  return names.filter((name) => name.endsWith('.ts')).sort();
}
