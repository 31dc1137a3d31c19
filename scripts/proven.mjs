// The README's table of what the interop tests prove, between its two marks.
import { readFile, writeFile } from 'node:fs/promises';

const BEGIN = '<!-- proven: written by npm test -->';
const END = '<!-- /proven -->';

/** Writes the table into a file that has the two marks; says whether that changed anything. */
export async function writeProven(file, suites) {
  const text = await readFile(file, 'utf8').catch(() => '');
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  if (from < 0 || to < from || suites.length === 0) return false;
  const anew = `${text.slice(0, from + BEGIN.length)}\n\n${table(suites)}\n\n${text.slice(to)}`;
  if (anew === text) return false;
  await writeFile(file, anew);
  return true;
}

function table(suites) {
  const rows = suites.map(({ name, passed, tests }) => [
    name.replaceAll(' > ', ', ').replaceAll('|', '\\|'),
    `${passed} of ${tests}`,
  ]);
  rows.sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    '| against Amanda 3.5.1 | tests passed |',
    '| --- | --- |',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n');
}
