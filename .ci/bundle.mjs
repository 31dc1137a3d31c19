// rx-amandad as one file: under inetd it is started for each connection, and most of what that costs is Node finding and reading modules one by one.
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './tools.mjs';

const folder = join(root, 'dist/bin');

/** Where the bundle is, and what goes with it. */
export const bundled = ['rx-amandad.js', 'rx-amandad.js.map', 'LICENSE-rxjs.txt'].map((name) => join(folder, name));

/** Makes dist/bin/rx-amandad.js of src/ and of rxjs. Resolves to a sentence for what failed, undefined when all is well. */
export async function bundle() {
  try {
    const { rolldown } = await import('rolldown');
    const build = await rolldown({
      input: join(root, 'src/cli/rx-amandad.ts'),
      platform: 'node',
      // RxJS names its CommonJS form for Node, of which nothing can be left out.
      resolve: { conditionNames: ['es2015', 'import'], extensionAlias: { '.js': ['.ts', '.js'] } },
      external: ['@node-rs/crc32'],
      treeshake: { moduleSideEffects: false },
      tsconfig: false,
    });
    await build.write({ file: bundled[0], format: 'esm', codeSplitting: false, sourcemap: true, minify: { mangle: false, codegen: true, compress: true } });
    await build.close();
    await mkdir(folder, { recursive: true });
    await copyFile(join(root, 'node_modules/rxjs/LICENSE.txt'), bundled[2]);
    return undefined;
  } catch (error) {
    return `setup: rx-amandad could not be made one file: ${error.message}`;
  }
}
