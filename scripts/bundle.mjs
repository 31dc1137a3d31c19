// rx-amandad in few files: inetd starts it for each connection, and reading modules one by one
// would take longer than answering.
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './tools.mjs';

/** Holds the program, a chunk for each part that is loaded on demand, their maps and RxJS's licence. */
export const bundles = join(root, 'dist/bin');

/**
 * Bundles src/ and RxJS into dist/bin/rx-amandad.cjs and its chunks.
 * Resolves to a sentence that says what failed, or to undefined.
 */
export async function bundle() {
  try {
    const { rolldown } = await import('rolldown');
    await rm(bundles, { recursive: true, force: true });
    const build = await rolldown({
      input: { 'rx-amandad': join(root, 'src/cli/rx-amandad/rx-amandad.ts') },
      platform: 'node',
      resolve: {
        // RxJS's CommonJS form, which it names for Node, cannot be tree-shaken.
        alias: { rxjs: join(root, 'node_modules/rxjs/dist/esm/index.js') },
        extensionAlias: { '.js': ['.ts', '.js'] },
      },
      external: ['@node-rs/crc32'],
      treeshake: { moduleSideEffects: false },
      tsconfig: false,
      preserveEntrySignatures: false,
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
    await copyFile(join(root, 'node_modules/rxjs/LICENSE.txt'), join(bundles, 'LICENSE-rxjs.txt'));
    return undefined;
  } catch (error) {
    return `setup: rx-amandad could not be bundled: ${error.message}`;
  }
}
