import { readdirSync } from 'node:fs';
import { toSvg } from '../../src/diagram/index.js';
import { pageDiagram, type Page } from '../../src/testing/index.js';

/** The folder of the pages. */
export const folder = new URL('../../marbles/', import.meta.url);

/** The files that declare pages, relative to their folder. */
export const pageFiles = filesIn('.ts').filter((file) => !file.startsWith('support/'));

/** The pages of a file. */
export async function pagesOf(file: string): Promise<readonly Page[]> {
  const { pages } = (await import(new URL(file, folder).href)) as {
    readonly pages: readonly Page[];
  };
  return pages;
}

/**
 * What belongs beside a file of pages, by its path: a picture of each page, and a leaf that shows
 * them all.
 */
export async function picturesOf(file: string): Promise<ReadonlyMap<string, string>> {
  const pages = await pagesOf(file);
  const place = file.replace(/\.ts$/, '');
  const pictures = pages.map(
    (page) => [`${place}/${slug(page.title)}.svg`, toSvg(pageDiagram(page))] as const,
  );
  return new Map([...pictures, [`${place}.md`, leaf(place, pages)]]);
}

/** The pictures and leaves that lie there. */
export function picturesThere(): readonly string[] {
  return [...filesIn('.svg'), ...filesIn('.md').filter((file) => file.includes('/'))];
}

function filesIn(end: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith(end))
    .sort();
}

function leaf(place: string, pages: readonly Page[]): string {
  const name = place.split('/').at(-1) ?? place;
  const pictures = pages.map(
    ({ title, sentence }) => `![${plain(`${title}. ${sentence}`)}](${name}/${slug(title)}.svg)\n`,
  );
  return [
    `# ${place}\n`,
    `Drawn from [${name}.ts](${name}.ts), which is also the test. Written by \`npm run marbles\`.\n`,
    ...pictures,
  ].join('\n');
}

/** Text in which Markdown finds nothing. */
function plain(text: string): string {
  return text.replace(/[\\`*_[\]<>|]/g, '\\$&');
}

function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
