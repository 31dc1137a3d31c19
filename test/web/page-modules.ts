import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** A module of the page as the compiler makes it of the sources of this checkout, so that these tests need no build. */
export function readModule(name: string): string {
  const known = compiled.get(name) ?? compile(name);
  compiled.set(name, known);
  return known;
}

const compiled = new Map<string, string>();

function compile(name: string): string {
  const source = readFileSync(
    fileURLToPath(new URL(`../../src/${name}.ts`, import.meta.url)),
    'utf8',
  );
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
  };
  return ts.transpileModule(source, { compilerOptions }).outputText;
}
