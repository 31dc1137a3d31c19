// Builds dist/ when it differs from what the sources say, and removes what no source makes.
import { createHash } from 'node:crypto';
import { chmod, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { bundle, bundles } from './bundle.mjs';
import { bundleLibrary, shared } from './bundle-library.mjs';
import { generated, writeManuals } from './manuals.mjs';
import { moduleFile, root, run, say } from './tools.mjs';

const dist = join(root, 'dist');
/** Remembers which sources dist/ was made from. A dot file, so that it is not published. */
const stampFile = join(dist, '.sources');

/** The code and its declarations. */
const projects = ['tsconfig.build.json', 'tsconfig.declarations.json'];

/** Builds if needed. Resolves to a sentence about a failure, else to undefined. */
export async function build({ clean = false } = {}) {
  const sources = await filesUnder(join(root, 'src'));
  const stamp = await digest([
    ...sources,
    ...[
      'tsconfig.json',
      'tsconfig.build.json',
      'tsconfig.declarations.json',
      'package.json',
      'scripts/bundle.mjs',
      'scripts/bundle-library.mjs',
      'scripts/manuals.mjs',
    ].map((name) => join(root, name)),
    ...['typescript', 'rolldown', 'rxjs'].map((name) => moduleFile(`${name}/package.json`)),
  ]);
  const executables = await binFiles();
  if (!clean && stamp === (await textOf(stampFile)) && (await allThere(executables)))
    return undefined;

  if (clean) await rm(dist, { recursive: true, force: true });
  say('setup: building dist/');
  await rm(stampFile, { force: true });
  for (const project of projects) {
    const compiled = await run(process.execPath, [moduleFile('typescript/bin/tsc'), '-p', project]);
    if (compiled.status !== 0)
      return `${compiled.output}\nsetup: the build failed${compiled.error === undefined ? '' : ` (${compiled.error})`}.`;
  }
  await prune(sources);
  const failure =
    (await bundle()) ??
    (await bundleLibrary()) ??
    (await makeExecutable(executables)) ??
    (await writeManuals());
  if (failure !== undefined) return failure;
  await writeFile(stampFile, stamp);
  return undefined;
}

/**
 * Removes what the compiler made of sources that are gone. The tap page is bundled, not compiled.
 */
async function prune(sources) {
  const stems = new Set(
    sources
      .map((file) => relative(join(root, 'src'), file).replace(/\.ts$/, ''))
      .filter((stem) => !stem.startsWith('cli/web/page/')),
  );
  for (const file of await filesUnder(dist)) {
    const name = relative(dist, file);
    if (
      !name.startsWith('.') &&
      !file.startsWith(bundles) &&
      !file.startsWith(shared) &&
      !generated.some((folder) => name.startsWith(`${folder}/`)) &&
      !stems.has(name.replace(/(\.d\.ts|\.js|\.js\.map)$/, ''))
    )
      await rm(file);
  }
}

async function makeExecutable(files) {
  for (const file of files) {
    const text = await textOf(file);
    if (text === undefined)
      return `setup: package.json names ${relative(root, file)} as a program, and no source makes it.`;
    if (!text.startsWith('#!/usr/bin/env node\n'))
      return `setup: ${relative(root, file)} is a program and has to begin with "#!/usr/bin/env node".`;
    await chmod(file, 0o755);
  }
  return undefined;
}

async function binFiles() {
  const { bin } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return Object.values(bin).map((path) => join(root, path));
}

async function filesUnder(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  // `path` is the older name of `parentPath`: Node 20.16 has both, Node 24 the newer only.
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return files.sort();
}

async function digest(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash.update(`${relative(root, file)}\0`).update(
      createHash('sha256')
        .update(await readFile(file))
        .digest(),
    );
  return hash.digest('hex');
}

async function allThere(files) {
  const texts = await Promise.all(files.map(textOf));
  return texts.every((text) => text !== undefined);
}

async function textOf(file) {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}
