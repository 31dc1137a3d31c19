// The face of the package: api/ has a file for each entry, with every exported name and its types.
//
//   node scripts/api-report.mjs            says which files differ from what is built
//   node scripts/api-report.mjs --accept   writes them
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { root, say } from './tools.mjs';

/** The report of each entry by its file in api/, and the types in them that no entry exports. */
export async function apiReports() {
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const entries = Object.entries(exports).filter(([, entry]) => entry.types !== undefined);
  const files = entries.map(([, { types }]) => join(root, types));
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, strict: true };
  const program = ts.createProgram(files, { ...options, types: ['node'], skipLibCheck: true });
  const checker = program.getTypeChecker();
  const original = (symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const faces = files.map((file) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file));
    if (module === undefined) throw new Error(`${file} is missing: npm run build makes it.`);
    return checker.getExportsOfModule(module).sort((a, b) => (a.name < b.name ? -1 : 1));
  });
  const exported = new Set(faces.flat().map(original));
  const internals = new Set();

  /** Notes each type of ours that a declaration names and no entry exports. */
  const lookInto = (node, name) => {
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
      const symbol = checker.getSymbolAtLocation(node.typeName ?? node.expression);
      const meant = symbol === undefined ? undefined : original(symbol);
      // A type that its file keeps to itself is a part of what is declared there.
      const isOurs = meant?.declarations?.some(
        (one) =>
          one.getSourceFile().fileName.startsWith(`${root}dist/`) &&
          ts.getCombinedModifierFlags(one) & ts.ModifierFlags.Export,
      );
      if (isOurs && !exported.has(meant)) internals.add(`${name} names ${meant.name}`);
    }
    ts.forEachChild(node, (child) => lookInto(child, name));
  };
  const describe = (symbol) => {
    const { name } = symbol;
    const declared = original(symbol).declarations ?? [];
    for (const one of declared) lookInto(one, name);
    const alias = original(symbol).name === name ? '' : `// exported as ${name}\n`;
    return alias + declared.map(textOf).join('\n');
  };
  const reports = entries.map(([path], index) => {
    const entry = `rx-amanda${path.slice(1)}`;
    const values = faces[index].filter((one) => original(one).flags & ts.SymbolFlags.Value);
    const types = faces[index].filter((one) => !values.includes(one));
    const part = (title, symbols) =>
      `## ${title} (${symbols.length})\n\n\`\`\`ts\n${symbols.map(describe).join('\n\n')}\n\`\`\`\n`;
    const head = `# ${entry}\n\nWritten by \`npm run api:accept\`. A change here is a change of the package's face.\n`;
    const text = [head, part('Values', values), part('Types', types)].join('\n');
    return [`api/${entry.replace('/', '-')}.md`, text];
  });
  return { reports: new Map(reports), internals: [...internals].sort() };
}

const printer = ts.createPrinter({ removeComments: true });

/** A declaration without comments, and a class without what is private. */
function textOf(declaration) {
  const file = declaration.getSourceFile();
  const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return printer
    .printNode(ts.EmitHint.Unspecified, statement, file)
    .split('\n')
    .filter((line) => !/^ {4}(?:#private|private .*);$/.test(line))
    .join('\n')
    .replace(/^(?:export )?(?:declare )?/, '');
}

/** The files of api/ that are not what is built. */
export async function staleReports() {
  const stale = [];
  for (const [file, text] of (await apiReports()).reports) {
    const there = await readFile(join(root, file), 'utf8').catch(() => '');
    if (there !== text) stale.push(file);
  }
  return stale;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--accept')) {
    await mkdir(join(root, 'api'), { recursive: true });
    for (const [file, text] of (await apiReports()).reports)
      await writeFile(join(root, file), text);
  }
  const [stale, { internals }] = [await staleReports(), await apiReports()];
  for (const file of stale)
    say(`${file} is not what is built. If the change is meant: npm run api:accept`);
  for (const sentence of internals) say(`${sentence}, which no entry exports.`);
  if (stale.length + internals.length > 0) process.exitCode = 1;
}
