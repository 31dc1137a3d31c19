// The package's entries, each in one file, with what several of them need in dist/shared/. An
// import then reads a few files instead of two hundred.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './tools.mjs';

const dist = join(root, 'dist');
/** What several entries need. */
export const shared = join(dist, 'shared');

/** Bundles src/ for each entry of package.json. Resolves to a sentence that says what failed. */
export async function bundleLibrary() {
  try {
    const { rolldown } = await import('rolldown');
    await rm(shared, { recursive: true, force: true });
    const build = await rolldown({
      input: await entries(),
      platform: 'node',
      resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
      // RxJS has to be the user's own.
      external: /^[^./]/,
      treeshake: { moduleSideEffects: false },
      tsconfig: false,
    });
    await build.write({
      dir: dist,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'shared/[name].js',
      sourcemap: true,
      comments: false,
    });
    await build.close();
    return undefined;
  } catch (error) {
    return `setup: the library could not be bundled: ${error.message}`;
  }
}

/**
 * The source of each file that package.json exports, by the file's path in dist/ without its end.
 */
async function entries() {
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const files = Object.values(exports).flatMap((entry) => entry.default ?? []);
  const names = files.map((file) => /^\.\/dist\/(.*)\.js$/.exec(file)[1]);
  return Object.fromEntries(names.map((name) => [name, join(root, `src/${name}.ts`)]));
}
