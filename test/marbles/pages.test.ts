import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Page } from '../../src/testing/index.js';
import { checkPage, pageDiagram } from '../../src/testing/index.js';

const folder = new URL('../../marbles/', import.meta.url);
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('support'))
  .sort();

describe.each(files)('%s', async (file) => {
  const { pages } = (await import(new URL(file, folder).href)) as {
    readonly pages: readonly Page[];
  };

  test('each page has a title of its own', () => {
    const titles = pages.map(({ title }) => title);
    expect(titles).toEqual([...new Set(titles)]);
  });

  test.each(pages.map((page) => [page.title, page] as const))('%s', (_, page) => {
    const difference = checkPage(page);
    if (difference !== '') expect.fail(difference);
    expect(pageDiagram(page).lanes.length).toBeGreaterThan(0);
  });
});
