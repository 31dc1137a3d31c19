import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exportedObservables } from '../support/exported-observables.js';
import { pageFiles, pagesOf, picturesOf } from './pictures.js';

const root = new URL('../../', import.meta.url);
const index = readFileSync(new URL('marbles/README.md', root), 'utf8');
const protocol = readFileSync(new URL('PROTOCOL.md', root), 'utf8');
const behaviours = section(index, 2, 'Every behaviour, and its pages');

const pictures = (await Promise.all(pageFiles.map(picturesOf))).flatMap((files) =>
  [...files.keys()].filter((path) => path.endsWith('.svg')),
);
const pages = (await Promise.all(pageFiles.map(pagesOf))).flat();

describe('the index of the pages', () => {
  test('shows a page for each behaviour', () => {
    const without = rowsOf(behaviours).filter((cells) => linksIn(cells.at(-1) ?? '').length === 0);
    expect(without).toEqual([]);
    expect(rowsOf(behaviours).length).toBeGreaterThan(80);
  });

  test('names pages that there are, and each of them', () => {
    expect([...new Set(linksIn(behaviours))].sort()).toEqual([...pictures].sort());
  });

  test.each([
    {
      name: 'The exchange: initiator',
      rows: tableOf(section(protocol, 2, 'The exchange: initiator')),
      columns: 2,
    },
    {
      name: 'The first packet at a target',
      rows: tableOf(section(protocol, 3, 'The first packet')),
      columns: 1,
    },
    {
      name: 'The machine of a running request at a target',
      rows: tableOf(section(protocol, 3, 'The machine of a running request')),
      columns: 2,
    },
  ])('has each row of "$name" as PROTOCOL.md has it', ({ name, rows, columns }) => {
    const shown = rowsOf(section(behaviours, 3, name)).map((cells) => cells.slice(0, columns));
    expect(shown).toEqual(rows.map((cells) => cells.slice(0, columns)));
  });
});

describe('what the package exports', () => {
  const names = ['src/index.ts', 'src/diagram/index.ts', 'src/driver.ts'].flatMap((entry) =>
    exportedObservables(new URL(entry, root)),
  );

  test('is what a page is about, where it gives an Observable', () => {
    expect(names).toContain('receiveDump');
    const abouts = new Set(pages.flatMap(({ about }) => about.split(/[^A-Za-z]+/)));
    expect(names.filter((name) => !abouts.has(name))).toEqual([]);
  });

  test('is in docs/operators.md, where it gives an Observable', () => {
    const listed = readFileSync(new URL('docs/operators.md', root), 'utf8').matchAll(
      /^\| `(\w+)` \|/gm,
    );
    expect([...listed].map(([, name]) => name).sort()).toEqual([...names].sort());
  });
});

describe('the pictures that the documents show', () => {
  const docs = readdirSync(new URL('docs/', root)).filter((file) => file.endsWith('.md'));

  test.each(['README.md', 'PROTOCOL.md', ...docs.map((file) => `docs/${file}`)])(
    'of %s are there',
    (file) => {
      const shown = [
        ...readFileSync(new URL(file, root), 'utf8').matchAll(
          /\]\((?:\.\.\/)?marbles\/([^)]+\.svg)\)/g,
        ),
      ].map(([, path = '']) => path);
      expect(shown.filter((path) => !pictures.includes(path))).toEqual([]);
    },
  );

  test('of the pages that docs/edges.md takes as proof are there', () => {
    const titles = new Set(pages.map(({ title }) => title));
    const named = readFileSync(new URL('docs/edges.md', root), 'utf8')
      .split('\n')
      .flatMap((line) =>
        [...(/\bpages? (.*)$/.exec(line)?.[1]?.matchAll(/"([^"]+)"/g) ?? [])].map(
          ([, title = '']) => title,
        ),
      );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((title) => !titles.has(title))).toEqual([]);
  });
});

/** The text under a heading, up to the next one of its level or above. */
function section(text: string, level: number, heading: string): string {
  const lines = text.split('\n');
  const start = lines.indexOf(`${'#'.repeat(level)} ${heading}`);
  if (start < 0) throw new Error(`There is no heading "${heading}".`);
  const end = lines.findIndex(
    (line, at) => at > start && /^#+ /.test(line) && line.indexOf(' ') <= level,
  );
  return lines.slice(start + 1, end < 0 ? undefined : end).join('\n');
}

/**
 * The cells of all tables, without their heads; links that lead to PROTOCOL.md as that has them.
 */
function rowsOf(text: string): readonly (readonly string[])[] {
  const lines = text.replaceAll('](../PROTOCOL.md#', '](#').split('\n');
  return lines
    .filter((line, at) => line.startsWith('| ') && lines[at + 1]?.startsWith('|---') !== true)
    .map(cellsOf);
}

/** The cells of the first table. */
function tableOf(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith('|---')) + 1;
  const end = lines.findIndex((line, at) => at >= start && !line.startsWith('|'));
  return lines.slice(start, end < 0 ? undefined : end).map(cellsOf);
}

function cellsOf(line: string): readonly string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function linksIn(text: string): readonly string[] {
  return [...text.matchAll(/\]\(([^)#]+\.svg)\)/g)].map(([, path = '']) => path);
}
