import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const compilerOptions: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  types: ['node'],
  skipLibCheck: true,
};

/** A name that a module exports. */
export interface ExportedName {
  readonly name: string;
  /** Whether it is a function that gives an Observable, an operator or a Readable. */
  readonly givesObservable: boolean;
  /** Its docstring as it is written, with its stars. */
  readonly docstring: string;
}

/** What a module exports, each name once. */
export function exportedNames(module: URL): readonly ExportedName[] {
  const path = fileURLToPath(module);
  const program = ts.createProgram([path], compilerOptions);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path);
  const symbol = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (symbol === undefined) throw new Error(`${path} is no module.`);
  return checker.getExportsOfModule(symbol).map((exported) => {
    const named =
      exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    return {
      name: exported.name,
      givesObservable: givesObservable(named, checker),
      docstring: (named.declarations ?? []).map(docstringOf).join('\n'),
    };
  });
}

/** The names of the functions that a module exports and that give an Observable. */
export function exportedObservables(module: URL): readonly string[] {
  return exportedNames(module).flatMap(({ name, givesObservable: gives }) => (gives ? [name] : []));
}

function givesObservable(named: ts.Symbol, checker: ts.TypeChecker): boolean {
  if (!(named.flags & ts.SymbolFlags.Value)) return false;
  return checker
    .getTypeOfSymbol(named)
    .getCallSignatures()
    .map((signature) => checker.typeToString(checker.getReturnTypeOfSignature(signature)))
    .some((type) =>
      /\b(?:Observable|OperatorFunction|MonoTypeOperatorFunction)<|^Readable$/.test(type),
    );
}

function docstringOf(declaration: ts.Declaration): string {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  const docs = ts.getJSDocCommentsAndTags(node).filter((one) => ts.isJSDoc(one));
  return docs.map((one) => one.getText()).join('\n');
}
