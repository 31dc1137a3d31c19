import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { ESLint, Linter } from 'eslint';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { root, sourcesUnder } from './packed.js';

/** For each room of src/ the rooms that it may import. Written out, so that it does not follow the lint rule's list. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  operators: ['wire'],
  transport: ['wire', 'operators'],
  connection: ['wire', 'operators', 'transport'],
  exchange: ['wire', 'operators', 'transport', 'connection'],
  access: ['wire', 'operators', 'transport', 'connection', 'exchange'],
  drivers: ['wire', 'operators', 'transport', 'connection', 'exchange', 'access'],
  initiator: ['wire', 'operators', 'transport', 'connection', 'exchange', 'access', 'drivers'],
  target: ['wire', 'operators', 'transport', 'connection', 'exchange', 'access', 'drivers'],
  diagram: [
    'wire',
    'operators',
    'transport',
    'connection',
    'exchange',
    'access',
    'drivers',
    'initiator',
    'target',
  ],
  capture: ['wire'],
  tap: ['wire', 'operators', 'transport', 'connection', 'drivers', 'diagram'],
  testing: [
    'wire',
    'operators',
    'transport',
    'connection',
    'exchange',
    'access',
    'drivers',
    'initiator',
    'target',
    'diagram',
    'capture',
    'tap',
  ],
  cli: [
    'wire',
    'operators',
    'transport',
    'connection',
    'exchange',
    'access',
    'drivers',
    'initiator',
    'target',
    'diagram',
    'capture',
    'tap',
    'testing',
  ],
};

/** What a source file imports, by any form of import. */
async function importsOf(file: string): Promise<readonly string[]> {
  const text = await readFile(join(root, 'src', file), 'utf8');
  return ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);
}

/** What the lint rule says about one line in a file of that name. */
async function lint(file: string, line: string): Promise<readonly string[]> {
  const config = (await new ESLint({ cwd: root }).calculateConfigForFile(join(root, file))) as {
    rules: Record<string, Linter.RuleEntry>;
  };
  const rule = config.rules['no-restricted-imports'] ?? 'off';
  return new Linter()
    .verify(line, { rules: { 'no-restricted-imports': rule } })
    .map(({ message }) => message);
}

describe('the rooms of src/', () => {
  it('are the ones that the plan names', async () => {
    const rooms = new Set(
      (await sourcesUnder('src'))
        .filter((file) => file.includes('/'))
        .map((file) => file.split('/')[0]),
    );
    expect(Object.keys(MAY_IMPORT)).toEqual(expect.arrayContaining([...rooms]));
  });

  it('import only from the rooms before them', async () => {
    const wrong: string[] = [];
    for (const file of await sourcesUnder('src')) {
      const [room = ''] = file.split('/');
      for (const name of await importsOf(file)) {
        const target = posix.join(posix.dirname(file), name).split('/')[0] ?? '';
        const allowed =
          !name.startsWith('.') ||
          !(room in MAY_IMPORT) ||
          target === room ||
          MAY_IMPORT[room]?.includes(target) === true;
        if (!allowed) wrong.push(`${file} imports ${name}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('have a ground floor that imports nothing but itself', async () => {
    const imports = (
      await Promise.all((await sourcesUnder('src/wire')).map((file) => importsOf(`wire/${file}`)))
    ).flat();
    expect(imports.filter((name) => !name.startsWith('./'))).toEqual([]);
  });

  it.each(['index.ts', 'driver.ts'])(
    'do not lead from src/%s to diagrams, captures, taps, the command line or the test tools',
    async (entry) => {
      const imports = await importsOf(entry);
      expect(imports.length).toBeGreaterThan(0);
      expect(
        imports.filter((name) => /^\.\/(diagram|capture|tap|cli|testing)\//.test(name)),
      ).toEqual([]);
    },
  );
});

describe('the lint rule of the rooms', () => {
  it.each([
    ['src/wire/frame.ts', `import '../operators/lines.js';`],
    ['src/wire/frame.ts', `import 'rxjs';`],
    ['src/operators/lines.ts', `import '../connection/stream.js';`],
    ['src/connection/stream.ts', `export * from '../drivers/driver.js';`],
    ['src/target/services/noop.ts', `import '../../initiator/noop.js';`],
    ['src/drivers/bsdtcp.ts', `import '../index.js';`],
    ['src/testing/index.ts', `import '../cli/rx-amanda.js';`],
    ['src/index.ts', `export * from './testing/index.js';`],
    ['src/index.ts', `export * from './diagram/index.js';`],
    ['src/driver.ts', `export * from './capture/pcap.js';`],
  ])('%s refuses %s', async (file, line) => {
    expect(await lint(file, line)).toHaveLength(1);
  });

  it.each([
    ['src/wire/frame.ts', `import './errors.js';`],
    ['src/operators/lines.ts', `import '../wire/frame.js'; import 'rxjs';`],
    [
      'src/target/services/noop.ts',
      `import '../../wire/frame.js'; import '../service.js'; import 'node:fs';`,
    ],
    ['src/cli/rx-amanda/rx-amanda.ts', `import '../../testing/index.js';`],
    ['src/index.ts', `export * from './wire/frame.js';`],
  ])('%s accepts %s', async (file, line) => {
    expect(await lint(file, line)).toEqual([]);
  });
});
