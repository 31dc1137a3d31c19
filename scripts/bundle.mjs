// rx-amandad in few files: under inetd it is started for each connection, and most of what that costs is Node finding and reading modules one by one.
import { createHash } from 'node:crypto';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root, run, say } from './tools.mjs';

/** What it makes: the program, what says that it is CommonJS, a chunk for each driver that is loaded when it is asked for, their maps, and the licence of what is in them. */
export const bundles = join(root, 'dist/bin');

/** What is started, and the program that it runs from its compiled form, in a function that takes what a CommonJS module has. */
const programs = [
  ['rx-amandad', 'rx-amandad-start.ts', { sourcemap: false }],
  [
    'program',
    'rx-amandad.ts',
    {
      postBanner: '(function (exports, require, module, __filename, __dirname) {',
      postFooter: '})',
    },
  ],
];

/**
 * A text of more than 128 KiB has memory of its own in V8. A shorter one lies among the young objects and is an eighth of what they may be, and with it a noop
 * has them collected just before its ACK, which takes 1 ms.
 */
const LARGE = 132_000;

/**
 * Each file in ASCII: V8 keeps a text with a single other character as two bytes for each of them. Its last line is the hash of what stands before,
 * by which its compiled form is known.
 */
const asAscii = {
  name: 'as-ascii',
  generateBundle(_options, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue;
      const text = file.code.replace(
        /[^\0-\x7f]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
      const code = file.fileName === 'program.js' ? `${text}\n//`.padEnd(LARGE) : text;
      file.code = `${code}\n//${createHash('sha256').update(code).digest('hex')}`;
    }
  },
};

/** Makes dist/bin/rx-amandad.js and its chunks of src/ and of rxjs. Resolves to a sentence for what failed, undefined when all is well. */
export async function bundle() {
  try {
    const { rolldown } = await import('rolldown');
    await rm(bundles, { recursive: true, force: true });
    for (const [name, source, wrapper] of programs) {
      const build = await rolldown({
        input: { [name]: join(root, 'src/cli/rx-amandad', source) },
        platform: 'node',
        // RxJS names its CommonJS form for Node, of which nothing can be left out.
        resolve: {
          alias: { rxjs: join(root, 'node_modules/rxjs/dist/esm/index.js') },
          extensionAlias: { '.js': ['.ts', '.js'] },
        },
        external: ['@node-rs/crc32'],
        treeshake: { moduleSideEffects: false },
        tsconfig: false,
        // All that is always loaded in one file.
        preserveEntrySignatures: false,
        plugins: [asAscii],
      });
      // Names of functions and classes as they are: they stand in the stack of an error.
      const minify = { mangle: { keepNames: true }, codegen: true, compress: true };
      const codeSplitting = { groups: [{ name, tags: ['$initial'] }] };
      await build.write({
        dir: bundles,
        format: 'cjs',
        entryFileNames: '[name].js',
        chunkFileNames: '[name].js',
        sourcemap: true,
        minify,
        codeSplitting,
        // What V8 has compiled may import nothing; what it requires is found.
        dynamicImportInCjs: false,
        ...wrapper,
      });
      await build.close();
    }
    // CommonJS: Node has it running 9 ms sooner than modules, which it finds, links and evaluates in turns.
    await writeFile(join(bundles, 'package.json'), '{ "type": "commonjs" }\n');
    await copyFile(join(root, 'node_modules/rxjs/LICENSE.txt'), join(bundles, 'LICENSE-rxjs.txt'));
    const compiled = await run(process.execPath, [join(bundles, 'rx-amandad.js'), '-precompile']);
    // Without it all works, and takes longer to start.
    if (compiled.status !== 0) say(`setup: ${compiled.output}`);
    return undefined;
  } catch (error) {
    return `setup: rx-amandad could not be bundled: ${error.message}`;
  }
}
