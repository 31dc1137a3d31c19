// docs/proven.md: a table of what the interop tests prove. `npm run proven` writes it.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root, say } from './tools.mjs';

const FILE = 'docs/proven.md';

/** Resolves to a sentence when the page differs from what a whole run has shown. */
export async function checkProven(suites) {
  const found = await readFile(join(root, FILE), 'utf8').catch(() => '');
  if (found === page(suites)) return undefined;
  return `proven: ${FILE} is stale; \`npm run proven\` renews it.`;
}

export async function writeProven(suites) {
  await writeFile(join(root, FILE), page(suites));
  say(`proven: ${FILE} is written.`);
  return undefined;
}

function page(suites) {
  const rows = suites.map(({ name, tests }) => [
    name.replaceAll(' > ', ', ').replaceAll('|', '\\|'),
    tests,
  ]);
  rows.sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    '# What is proven against the real Amanda',
    '',
    'Each row is a suite of `test/interop`, which runs against the programs of Amanda 3.5.1 from',
    'Debian 12. All of its tests passed when this page was written.',
    '',
    '| against Amanda 3.5.1 | tests passed |',
    '| --- | --- |',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    '`npm run proven` runs the suites and writes this page. `npm test` runs them too, and fails when',
    'the page differs. [Drivers](drivers.md#what-is-tested) has the same by driver,',
    '[Edges](edges.md) by case.',
    '',
  ].join('\n');
}
