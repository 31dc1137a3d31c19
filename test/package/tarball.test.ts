import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entries, manifest, newFolder, pack, root, run, sourcesUnder } from './packed.js';
import type { Manifest, PackedFile } from './packed.js';

let folder: string;
let files: readonly PackedFile[];
let about: Manifest;

beforeAll(async () => {
  folder = await newFolder();
  about = await manifest();
  const own = await pack('.', folder);
  files = own.files;
  await install(own.tarball);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/**
 * Installs the tarball as a user would, without a network: what it depends on is packed from this
 * checkout's node modules and named beside it. The optional native checksum is left out, so that
 * everything here also shows that the package works without.
 */
async function install(tarball: string): Promise<void> {
  const rxjs = await pack('node_modules/rxjs', folder);
  const tslib = await pack('node_modules/tslib', folder);
  const dependencies = {
    'rx-amanda': `file:${tarball}`,
    rxjs: `file:${rxjs.tarball}`,
    tslib: `file:${tslib.tarball}`,
  };
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'user', version: '1.0.0', private: true, type: 'module', dependencies }),
  );
  const installed = await run(
    'npm',
    ['install', '--offline', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'],
    folder,
  );
  if (installed.status !== 0) throw new Error(`npm install failed: ${installed.stderr}`);
}

/** The names that a module has, by the form in which a user's program loads it. */
async function exportsOf(
  specifier: string,
  form: 'import' | 'require' = 'import',
): Promise<readonly string[]> {
  const program = join(folder, form === 'import' ? 'program.mjs' : 'program.cjs');
  const load = `${form === 'import' ? 'await import' : 'require'}('${specifier}')`;
  await writeFile(program, `console.log(JSON.stringify(Object.keys(${load})));`);
  const { status, stdout, stderr } = await run(process.execPath, [program], folder);
  if (status !== 0 || stderr !== '') throw new Error(stderr);
  return JSON.parse(stdout) as string[];
}

function inTarball(): readonly string[] {
  return files.map(({ path }) => path);
}

describe('the tarball', () => {
  it('holds the compiled form of every source, the papers, and nothing else', async () => {
    const compiled = (await sourcesUnder('src'))
      // The page of the tap lies in dist/bin/.
      .filter((source) => !source.startsWith('cli/web/page/'))
      .flatMap((source) =>
        ['.d.ts', '.js', '.js.map'].map((end) => `dist/${source.replace(/\.ts$/, end)}`),
      );
    const forSystem = [
      'rx-amandad.service',
      'rx-amandad.socket',
      'rx-amandad@.service',
      'xinetd-rx-amandad',
    ].map((name) => `system/${name}`);
    const expected = [
      'LICENSE',
      'PROTOCOL.md',
      'README.md',
      'package.json',
      ...about.man.map((path) => path.replace(/^\.\//, '')),
      ...['bash', 'fish', 'zsh'].map((shell) => `dist/completion/rx-amanda.${shell}`),
      ...forSystem,
      ...compiled,
    ];
    expect(
      inTarball()
        .filter((path) => !/^dist\/(bin|shared)\//.test(path))
        .sort(),
    ).toEqual(expected.sort());
  });

  it('holds rx-amandad and what it loads in few files, and the licence of the RxJS in them', () => {
    const bundled = inTarball().filter((path) => path.startsWith('dist/bin/'));
    expect(bundled).toContain('dist/bin/rx-amandad.cjs');
    expect(bundled.filter((path) => !/\.cjs(\.map)?$/.test(path)).sort()).toEqual([
      'dist/bin/LICENSE-rxjs.txt',
      'dist/bin/tap-page.css',
      'dist/bin/tap-page.html',
      'dist/bin/tap-page.js',
    ]);
    expect(bundled.length).toBeLessThan(50);
  });

  it('has a manual page for each command that rx-amanda lists, and for each program', async () => {
    const program = join(folder, 'node_modules', 'rx-amanda', about.bin['rx-amanda'] ?? '');
    const { stdout } = await run(process.execPath, [program, '--help'], folder);
    const [, list = ''] = /^Commands:\n([^]*?)\n\n/m.exec(stdout) ?? [];
    const names = list.split('\n').map((line) => line.trim().split(' ')[0] ?? '');
    expect(about.man.toSorted()).toEqual(
      [
        './dist/man/rx-amanda.1',
        './dist/man/rx-amandad.8',
        ...names.map((name) => `./dist/man/rx-amanda-${name}.1`),
      ].toSorted(),
    );
  });

  it('lets its programs be executed', () => {
    for (const program of Object.values(about.bin))
      expect(files.find(({ path }) => path === program)?.mode).toBe(0o755);
  });

  it('holds what several entries need in few files', () => {
    const files = inTarball().filter((path) => path.startsWith('dist/shared/'));
    expect(files.filter((path) => !/\.js(\.map)?$/.test(path))).toEqual([]);
    expect(files.length).toBeGreaterThan(0);
    expect(files.length).toBeLessThan(30);
  });

  it('carries the sources inside its maps, since it names files that it does not hold', async () => {
    const map = JSON.parse(await readFile(join(root, 'dist/index.js.map'), 'utf8')) as {
      sources: string[];
      sourcesContent?: string[];
    };
    expect(map.sourcesContent).toHaveLength(map.sources.length);
  });

  it('needs rxjs and nothing else', () => {
    expect(Object.keys(about.dependencies)).toEqual(['rxjs']);
  });
});

describe('installed from the tarball, without the optional native checksum', () => {
  it('gives the names that others rely on', async () => {
    const relied = {
      'rx-amanda': ['connect', 'serve', 'request', 'decodeFrames', 'bsdtcp', 'local', 'memory'],
      'rx-amanda/wire': ['FrameDecoder', 'decodePacket', 'AmandaError'],
      'rx-amanda/diagram': ['record', 'toSvg', 'toText'],
      'rx-amanda/driver': ['overChannel', 'wrapPayloads'],
      'rx-amanda/testing': ['ScriptedPeer', 'driverCompliance', 'page'],
    };
    for (const [specifier, names] of Object.entries(relied))
      expect(await exportsOf(specifier)).toEqual(expect.arrayContaining(names));
  });

  it('gives the same names to import and to require(), and neither has a warning', async () => {
    const names = await entries();
    expect(names).toHaveLength(5);
    for (const name of names) {
      const imported = await exportsOf(name, 'import');
      expect(imported).not.toHaveLength(0);
      expect(await exportsOf(name, 'require')).toEqual(imported);
    }
  });

  it('does not let inner files be imported', async () => {
    await expect(exportsOf('rx-amanda/dist/wire/frame.js')).rejects.toThrow(
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    );
  });

  it.each(['rx-amanda', 'rx-amandad'])('%s says its version and how to use it', async (program) => {
    const path = join(folder, 'node_modules/.bin', program);
    const version = await run(path, ['--version'], folder);
    expect(version).toMatchObject({ status: 0, stderr: '' });
    expect(version.stdout).toContain(about.version);
    const help = await run(path, ['--help'], folder);
    expect(help.status).toBe(0);
    expect(help.stdout).toContain(program);
  });
});
