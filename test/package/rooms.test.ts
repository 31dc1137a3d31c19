import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { ESLint, Linter } from 'eslint';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { root, sourcesUnder } from './packed.js';

/** The rooms that each room of src/ may import, written out beside the lint rule's own list. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  operators: ['wire'],
  transport: ['wire', 'operators'],
  connection: ['wire', 'operators', 'transport'],
  exchange: ['wire', 'operators', 'transport', 'connection'],
  access: ['wire', 'operators', 'transport', 'connection', 'exchange'],
  drivers: ['wire', 'operators', 'transport', 'connection', 'exchange', 'access'],
  initiator: ['wire', 'operators', 'transport', 'connection', 'exchange', 'access', 'drivers'],
  doctor: [
    'wire',
    'operators',
    'transport',
    'connection',
    'exchange',
    'access',
    'drivers',
    'initiator',
  ],
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
    'doctor',
    'target',
  ],
  capture: ['wire'],
  tap: ['wire', 'operators', 'transport', 'connection', 'drivers', 'diagram', 'capture'],
  testing: [
    'wire',
    'operators',
    'transport',
    'connection',
    'exchange',
    'access',
    'drivers',
    'initiator',
    'doctor',
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
    'doctor',
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

/** The files of src/ that a file of src/ imports. */
async function filesImportedBy(file: string): Promise<readonly string[]> {
  return (await importsOf(file))
    .filter((name) => name.startsWith('.'))
    .map((name) => posix.join(posix.dirname(file), name).replace(/\.js$/, '.ts'));
}

/** The names that a file of src/ declares and exports. Re-exports are not among them. */
async function declaredIn(file: string): Promise<readonly string[]> {
  const text = await readFile(join(root, 'src', file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const exported = source.statements.filter(
    (statement) =>
      ts.canHaveModifiers(statement) &&
      statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true,
  );
  const names = exported.flatMap((statement) =>
    ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.map(({ name }) => name.getText(source))
      : [(statement as ts.DeclarationStatement).name?.getText(source) ?? 'default'],
  );
  return [...new Set(names)];
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

  it('have no import cycle, types included', async () => {
    const imports = new Map<string, readonly string[]>();
    for (const file of await sourcesUnder('src')) imports.set(file, await filesImportedBy(file));
    const finished = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file))
        cycles.push([...path.slice(path.indexOf(file)), file].join(' imports '));
      if (path.includes(file) || finished.has(file)) return;
      for (const next of imports.get(file) ?? []) visit(next, [...path, file]);
      finished.add(file);
    };
    for (const file of imports.keys()) visit(file, []);
    expect(imports.get('index.ts')?.length).toBeGreaterThan(0);
    expect(cycles).toEqual([]);
  });

  it('export no two things under one name', async () => {
    const places = new Map<string, string[]>();
    for (const file of await sourcesUnder('src'))
      for (const name of await declaredIn(file))
        places.set(name, [...(places.get(name) ?? []), file]);
    const twice = [...places].filter(([, files]) => files.length > 1).map(([name]) => name);
    expect(places.get('connect')).toEqual(['initiator/connect.ts']);
    expect(twice).toEqual([]);
  });

  it('have a ground floor that imports nothing but itself', async () => {
    const outside: string[] = [];
    for (const file of await sourcesUnder('src/wire'))
      for (const name of await importsOf(`wire/${file}`))
        if (
          !name.startsWith('.') ||
          !posix.join('wire', posix.dirname(file), name).startsWith('wire/')
        )
          outside.push(`${file} imports ${name}`);
    expect(outside).toEqual([]);
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
    ['src/target/services/noop-service.ts', `import '../../initiator/noop.js';`],
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
      'src/target/services/noop-service.ts',
      `import '../../wire/frame.js'; import '../service.js'; import 'node:fs';`,
    ],
    ['src/cli/rx-amanda/rx-amanda.ts', `import '../../testing/index.js';`],
    ['src/index.ts', `export * from './wire/frame.js';`],
  ])('%s accepts %s', async (file, line) => {
    expect(await lint(file, line)).toEqual([]);
  });
});
