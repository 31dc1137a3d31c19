import { spawn } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { lastValueFrom, of, type Subscription } from 'rxjs';
import ts from 'typescript';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import {
  allowed,
  backupServices,
  bsdtcp,
  connect,
  dump,
  listenBsdtcp,
  noop,
  receiveDump,
  serve,
  tarArchive,
} from '../../src/index.js';
import { codeBlocks, outputPattern, type CodeBlock } from '../support/document-code.js';
import { describeUnless, notRoot } from '../support/skips.js';
import { inProgramFolder, root, run } from './packed.js';

const programs = codeBlocks('ts', 'js', 'mjs');
const inFolder = inProgramFolder('rxjs', 'vitest');

/** Blocks that are tests, blocks that listen, and blocks that ask a target. */
const tests = programs.filter(({ code }) => code.includes("from 'vitest'"));
const targets = programs.filter(({ code }) => code.includes('listenBsdtcp({ port: 10080'));
const initiators = programs.filter(({ code }) => code.includes('connect(bsdtcp({'));

function fileOf({ place }: CodeBlock, end = 'ts'): string {
  return `${place.replace(/\W+/g, '-')}.${end}`;
}

/** Writes a block as a module that Node runs, with `10080` and the hosts replaced. */
async function runnable(block: CodeBlock, port: number): Promise<string> {
  const file = inFolder(fileOf(block, 'run.mjs'));
  const here = block.code
    .replace(/'\w+\.example\.com'/g, "'127.0.0.1'")
    .replaceAll('bsdtcp({ ', `bsdtcp({ port: ${port}, `)
    .replace('listenBsdtcp({ port: 10080', `listenBsdtcp({ port: ${port}, host: '127.0.0.1'`)
    .replaceAll('backup.example.com', 'localhost');
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 };
  await writeFile(file, ts.transpileModule(here, { compilerOptions }).outputText);
  return file;
}

it('every program in README and docs compiles as a user compiles it', async () => {
  expect(programs.length).toBeGreaterThan(10);
  for (const block of programs) await writeFile(inFolder(fileOf(block)), `${block.code}export {};`);
  const compilerOptions = {
    module: 'NodeNext',
    target: 'ES2022',
    lib: ['ES2023'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  await writeFile(
    inFolder('tsconfig.json'),
    JSON.stringify({ compilerOptions, files: programs.map((block) => fileOf(block)) }),
  );
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout, stderr } = await run(process.execPath, [tsc, '-p', '.'], inFolder('.'));
  expect(stdout + stderr).toBe('');
});

it('every test in docs passes', async () => {
  expect(tests.length).toBeGreaterThan(1);
  for (const block of tests) await writeFile(inFolder(fileOf(block, 'test.ts')), block.code);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status, stdout, stderr } = await run(
    process.execPath,
    [vitest, 'run', '--root', '.', '--reporter', 'json'],
    inFolder('.'),
  );
  expect(status, stdout + stderr).toBe(0);
  const { numPassedTests } = JSON.parse(stdout) as { readonly numPassedTests: number };
  expect(numPassedTests).toBeGreaterThanOrEqual(tests.length);
});

describeUnless(notRoot(), 'a program in README and docs', () => {
  let port = 0;
  let serving: Subscription | undefined;

  beforeAll(
    () =>
      new Promise<void>((listening) => {
        const content = 'a note\n';
        serving = serve(
          listenBsdtcp({
            port: 0,
            host: '127.0.0.1',
            onListening: (number) => {
              port = number;
              listening();
            },
          }),
          backupServices(() => ({
            estimate: () => 7,
            dump: () => tarArchive({ files: [{ name: 'note.txt', content }] }),
          })),
          { authorize: () => of(allowed) },
        ).subscribe();
      }),
  );
  afterAll(() => serving?.unsubscribe());

  it.each(initiators)('at $place runs, and prints what the page shows', async (block) => {
    const file = await runnable(block, port);
    const { status, stdout, stderr } = await run(process.execPath, [basename(file)], inFolder('.'));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    if (block.output !== undefined) expect(stdout.trim()).toMatch(outputPattern(block.output));
  });

  it.each(targets)('at $place serves', async (block) => {
    const own = await freePort();
    const program = spawn(process.execPath, [await runnable(block, own)], { stdio: 'inherit' });
    onTestFinished(() => void program.kill());
    const target = bsdtcp({ host: '127.0.0.1', port: own, user: 'backup' });
    const patient = { connectTries: 100, connectWait: 200 };
    const { features } = await lastValueFrom(connect(target, patient).pipe(noop()));
    expect(features.names().length).toBeGreaterThan(0);
    if (!block.code.includes('backupServices(')) return;
    const done = await lastValueFrom(
      connect(target).pipe(
        dump({ dle: { program: 'GNUTAR', disk: 'shop' } }),
        receiveDump(() => ({ data: () => of(0) })),
      ),
    );
    expect(done).toMatchObject({ kind: 'done', outcome: { kind: 'success' } });
  });
});

/** The sessions of a page run in one shell, in the order of the page. */
describeUnless(notRoot(), 'the commands of docs/getting-started.md', () => {
  const session = codeBlocks('console').filter(({ place }) => place.includes('getting-started'));
  const steps = session.flatMap(({ code }) => code.split(/^\$ /m).slice(1));

  it('print what the page shows', async () => {
    expect(steps.length).toBeGreaterThan(10);
    const folder = inFolder('getting-started');
    await mkdir(join(folder, 'bin'), { recursive: true });
    const programs = {
      'rx-amanda': 'cli/rx-amanda/rx-amanda.js',
      'rx-amandad': 'bin/rx-amandad.cjs',
    };
    for (const [name, file] of Object.entries(programs)) {
      await chmod(join(root, 'dist', file), 0o755);
      await symlink(join(root, 'dist', file), join(folder, 'bin', name));
    }
    const port = String(await freePort());
    const commands = steps.map((step) =>
      step.slice(0, step.indexOf('\n')).replaceAll('10082', port),
    );
    const script = [
      'set -m',
      'PATH="$PWD/bin:$PATH"',
      ...commands.flatMap((line) => ['echo "@@@"', line]),
    ];
    await writeFile(join(folder, 'session.sh'), script.join('\n'));
    const { stdout, stderr } = await run('bash', ['session.sh'], folder);
    const printed = stdout.split('@@@\n').slice(1);
    expect(printed.length).toBe(steps.length);
    steps.forEach((step, index) => {
      const [command = '', ...output] = step.trim().split('\n');
      const expected = outputPattern(output.join('\n').replaceAll('10082', port));
      expect(printed[index]?.trim(), `${command}\n${stderr}`).toMatch(expected);
    });
  });
});

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}
