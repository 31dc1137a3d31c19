import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entries, inProgramFolder, root, run } from './packed.js';

/**
 * The compilers by the package that has each. The oldest is the first that knows `export type *`.
 */
const compilers = { '5.0': 'typescript-oldest', '6.0': 'typescript', '7.0': 'typescript-newest' };

const resolutions = {
  NodeNext: { module: 'NodeNext' },
  bundler: { module: 'ESNext', moduleResolution: 'bundler' },
};

const inFolder = inProgramFolder('rxjs');

/** What a compiler says to a program that imports every entry and checks all declarations. */
async function check(compiler: string, resolution: object): Promise<string> {
  const names = await entries();
  await writeFile(
    inFolder('program.ts'),
    [
      ...names.map((name, index) => `export * as part${index} from '${name}';`),
      `import { allowed, bsdtcp, connect, dump, memory, noop, receiveDump, refused, serve, type Noop } from 'rx-amanda';`,
      `import { Recording, record } from 'rx-amanda/diagram';`,
      `import type { Features } from 'rx-amanda/wire';`,
      `export const works = connect(memory().driver).pipe(noop());`,
      `works.subscribe(({ features }: Noop) => features satisfies Features);`,
      `// @ts-expect-error A driver is no text: the types are there, and say so.`,
      `connect('bsdtcp');`,
      `// @ts-expect-error A program is one of four words, and not the name of a file.`,
      `dump({ dle: { program: 'tar', disk: '/home' } });`,
      `// @ts-expect-error A host may not be undefined.`,
      `bsdtcp({ host: undefined });`,
      `// @ts-expect-error A sink returns what completes when the chunk is taken.`,
      `receiveDump(() => ({ data: (chunk) => void chunk }));`,
      `receiveDump(() => ({ data: process.stdout, index: async (chunk) => void chunk }));`,
      `serve(memory().listener, {}, { authorize: () => allowed });`,
      `serve(memory().listener, {}, { authorize: async () => refused('not today') });`,
      `record(new Recording());`,
    ].join('\n'),
  );
  const compilerOptions = {
    ...resolution,
    target: 'ES2022',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  await writeFile(
    inFolder('tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['program.ts'] }),
  );
  const { stdout, stderr } = await run(process.execPath, [
    join(root, 'node_modules', compiler, 'bin/tsc'),
    '-p',
    inFolder('.'),
  ]);
  return stdout + stderr;
}

describe('the types of every entry', () => {
  it.each(
    Object.entries(compilers).flatMap(([version, compiler]) =>
      Object.entries(resolutions).map(([name, options]) => ({ version, compiler, name, options })),
    ),
  )(
    'are right for TypeScript $version with $name resolution',
    async ({ version, compiler, options }) => {
      const about = await readFile(join(root, 'node_modules', compiler, 'package.json'), 'utf8');
      expect((JSON.parse(about) as { version: string }).version).toMatch(`${version}.`);
      expect(await check(compiler, options)).toBe('');
    },
  );

  it('are for the versions that README.md names', async () => {
    const [oldest = '', , newest = ''] = Object.keys(compilers);
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    expect(/TypeScript \S+ to \d+\.\d+/.exec(readme)?.[0]).toBe(
      `TypeScript ${oldest} to ${newest}`,
    );
  });
});
