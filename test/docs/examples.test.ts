import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { exportedNames } from '../support/exported-observables.js';

const root = new URL('../../', import.meta.url);

/** The entries of the package, by what a program imports. */
const entries = {
  'rx-amanda': 'src/index.ts',
  'rx-amanda/wire': 'src/wire/index.ts',
  'rx-amanda/driver': 'src/driver.ts',
  'rx-amanda/diagram': 'src/diagram/index.ts',
  'rx-amanda/testing': 'src/testing/index.ts',
};

const names = Object.values(entries).flatMap((entry) => exportedNames(new URL(entry, root)));
const examples = names.flatMap(({ name, docstring }) =>
  examplesIn(docstring).map((code) => ({ name, code })),
);

/** A line of a text marble: what it shows, two blanks, and dashes. */
const marble = /^ {4}\S.*? {2,}\S*-\S*/m;

/** The compiler takes its time on a busy machine. */
const patient = { timeout: 60_000 };

describe('the docstrings of the package', patient, () => {
  const operators = names.filter(({ givesObservable }) => givesObservable);

  it('say something of each exported name', () => {
    expect(names.filter(({ docstring }) => docstring === '').map(({ name }) => name)).toEqual([]);
  });

  it('have an @example for each function that gives an Observable', () => {
    const without = operators.filter(({ docstring }) => examplesIn(docstring).length === 0);
    expect(operators.length).toBeGreaterThan(20);
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  it('have a text marble for each of them', () => {
    const without = operators.filter(({ docstring }) => !marble.test(proseOf(docstring)));
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  it('have examples that compile and name what they are about', () => {
    expect(faultsIn(examples.map(({ code }) => code))).toEqual([]);
    expect(examples.filter(({ name, code }) => !code.includes(name))).toEqual([]);
  });

  it('would show an example that does not compile', () => {
    const [fault] = faultsIn(["import { connect } from 'rx-amanda';\nconnect(1);\n"]);
    expect(fault).toContain('not assignable');
  });
});

/** A docstring without its stars and examples. */
function proseOf(docstring: string): string {
  return withoutStars(docstring).replace(/^@example\n[^]*?^```$/gm, '');
}

function withoutStars(docstring: string): string {
  return docstring.replace(/^ *\* ?/gm, '');
}

function examplesIn(docstring: string): readonly string[] {
  const text = withoutStars(docstring);
  return [...text.matchAll(/^@example\n```ts\n([^]*?)^```$/gm)].map(([, code = '']) => code);
}

/** Compiles programs against the sources; what the compiler says, with the line. */
function faultsIn(programs: readonly string[]): readonly string[] {
  const texts = new Map(
    programs.map((code, index) => [
      fileURLToPath(new URL(`example-${index}.ts`, root)),
      `${code}export {};\n`,
    ]),
  );
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    types: ['node'],
    skipLibCheck: true,
    paths: Object.fromEntries(
      Object.entries(entries).map(([name, file]) => [name, [fileURLToPath(new URL(file, root))]]),
    ),
  };
  const files = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...files,
    fileExists: (file) => texts.has(file) || files.fileExists(file),
    getSourceFile: (file, language) => {
      const text = texts.get(file);
      if (text === undefined) return files.getSourceFile(file, language);
      return ts.createSourceFile(file, text, language);
    },
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  return [...texts.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    const said = ts.getPreEmitDiagnostics(program, source);
    return said.map(({ start = 0, messageText }) => {
      const line = source?.getLineAndCharacterOfPosition(start).line ?? 0;
      const at = source?.text.split('\n')[line] ?? '';
      return `${at.trim()}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}
