// What is bundled: rx-amandad, which inetd starts for each connection, so that Node reads one file;
// and the tap's web page.
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './tools.mjs';

/** Holds both, the chunks that rx-amandad loads on demand, their maps and RxJS's licence. */
export const bundles = join(root, 'dist/bin');

/** Bundles src/ into dist/bin/. Resolves to a sentence that says what failed, or to undefined. */
export async function bundle() {
  try {
    await rm(bundles, { recursive: true, force: true });
    await bundleAmandad();
    await copyFile(join(root, 'node_modules/rxjs/LICENSE.txt'), join(bundles, 'LICENSE-rxjs.txt'));
    const { markup, style, script } = await pageParts();
    await writeFile(join(bundles, 'tap-page.html'), markup);
    await writeFile(join(bundles, 'tap-page.css'), style);
    await writeFile(join(bundles, 'tap-page.js'), script);
    return undefined;
  } catch (error) {
    return `setup: the bundles could not be made: ${error.message}`;
  }
}

/** The parts of the tap's web page. The script holds all that it imports. */
export async function pageParts() {
  const part = (name) => readFile(join(root, 'src/cli/web/page', name), 'utf8');
  const build = await read({
    input: join(root, 'src/cli/web/page/main.ts'),
    platform: 'browser',
  });
  const { output } = await build.generate({ format: 'esm', minify: true });
  await build.close();
  const script = output[0].code;
  return { markup: await part('page.html'), style: await part('page.css'), script };
}

async function bundleAmandad() {
  const build = await read({
    input: join(root, 'src/cli/rx-amandad/rx-amandad.ts'),
    platform: 'node',
    external: ['@node-rs/crc32'],
  });
  await build.write({
    dir: bundles,
    // CommonJS starts sooner than modules, which Node finds, links and evaluates in turns.
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    sourcemap: true,
    minify: true,
    // One file for all that every start loads.
    codeSplitting: { groups: [{ name: 'rx-amandad', tags: ['$initial'] }] },
  });
  await build.close();
}

async function read(options) {
  const { rolldown } = await import('rolldown');
  return rolldown({
    ...options,
    resolve: {
      // RxJS's CommonJS form, which it names for Node, cannot be tree-shaken.
      alias: { rxjs: join(root, 'node_modules/rxjs/dist/esm/index.js') },
      extensionAlias: { '.js': ['.ts', '.js'] },
    },
    treeshake: { moduleSideEffects: false },
    tsconfig: false,
    preserveEntrySignatures: false,
  });
}
