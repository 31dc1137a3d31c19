import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/**
 * The names of the functions that a module exports and that give an Observable, an operator or a
 * Readable, or a function that does.
 */
export function exportedObservables(module: URL): readonly string[] {
  const path = fileURLToPath(module);
  const { NodeNext } = ts.ModuleKind;
  const program = ts.createProgram([path], {
    strict: true,
    noEmit: true,
    module: NodeNext,
    target: ts.ScriptTarget.ES2023,
    types: ['node'],
    skipLibCheck: true,
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path);
  const symbol = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (symbol === undefined) throw new Error(`${path} is no module.`);
  return checker.getExportsOfModule(symbol).flatMap((exported) => {
    const named =
      exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    if (!(named.flags & ts.SymbolFlags.Value)) return [];
    const gives = checker
      .getTypeOfSymbol(named)
      .getCallSignatures()
      .map((signature) => checker.typeToString(checker.getReturnTypeOfSignature(signature)));
    return gives.some((type) =>
      /\b(?:Observable|OperatorFunction|MonoTypeOperatorFunction)<|^Readable$/.test(type),
    )
      ? [exported.name]
      : [];
  });
}
