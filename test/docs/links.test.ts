import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Folders that hold documents; those at the top level are listed by themselves. */
const FOLDERS = ['docs', 'marbles', 'examples', 'bench', 'test/fixtures'];

/** Folders of the checkout that a document may name in a code span. */
const NAMED = /^(?:src|test|marbles|scripts|bench|examples|system|docs)\/[\w./-]+$/;

/** Addresses of this checkout's own files, by `repository` of package.json. */
const OWN =
  /^https:\/\/(?:github\.com\/rx-amanda\/rx-amanda\/(?:blob|tree)|raw\.githubusercontent\.com\/rx-amanda\/rx-amanda)\/main\//;

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((name) => name.endsWith('.md') && !name.startsWith(join('docs', 'api') + sep)),
  ),
].sort();

describe.each(documents)('%s', (document) => {
  const text = readFileSync(join(root, document), 'utf8');

  test('links to files and headings that exist', () => {
    expect(linksIn(text, document).filter((link) => !resolves(document, link))).toEqual([]);
  });

  test('names files that exist', () => {
    const named = spansIn(text).filter((span) => NAMED.test(span));
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

test('a link to a missing file or heading is found', () => {
  expect(resolves('README.md', 'docs/drivers.md#bsdtcp')).toBe(true);
  expect(resolves('README.md', 'docs/no-such-page.md')).toBe(false);
  expect(resolves('docs/tap.md', 'drivers.md#no-such-heading')).toBe(false);
  expect(linksIn('[a](b.md) ![c](d.svg) `[e](f.md)` [g](https://h/)')).toEqual(['b.md', 'd.svg']);
  const own = 'https://github.com/rx-amanda/rx-amanda/blob/main/docs/tap.md';
  expect(linksIn(`[a][b]\n\n[b]: ${own}\n`)).toEqual(['docs/tap.md']);
  expect(linksIn(`[a](${own}#files)`, 'docs/draw.md')).toEqual(['../docs/tap.md#files']);
});

test('README.md links as a page of a package registry needs it: by whole addresses', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const targets = [...withoutFences(text).matchAll(/\]\(([^)\s]+)\)|^\[\w+\]: (\S+)$/gm)];
  const relatives = targets.map(([, inline, reference]) => inline ?? reference ?? '');
  expect(relatives.filter((target) => !/^(?:https:|#)/.test(target))).toEqual([]);
  const labels = [...text.matchAll(/\]\[(\w+)\]/g)].map(([, label = '']) => label);
  expect(labels.filter((label) => !text.includes(`\n[${label}]: https:`))).toEqual([]);
  expect(text.split('\n').length).toBeLessThanOrEqual(201);
  const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly repository: { readonly url: string };
  };
  expect(text).toContain(repository.url.replace(/^git\+|\.git$/g, ''));
});

/**
 * The links of a document into this checkout, and its pictures, relative to the document. Code is
 * not looked at.
 */
function linksIn(text: string, document = ''): string[] {
  const prose = withoutFences(text).replace(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)|^\[\w+\]: (\S+)$/gm)].map(
    ([, inline, reference]) => inline ?? reference ?? '',
  );
  const up = '../'.repeat(document.split('/').length - 1);
  return targets
    .map((target) => target.replace(OWN, up))
    .filter((target) => !/^[a-z]+:/.test(target));
}

function spansIn(text: string): string[] {
  return [...withoutFences(text).matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
}

function withoutFences(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '');
}

/**
 * Whether a link of a document leads to a file of the checkout and, with `#`, to a heading there.
 */
function resolves(document: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? document : normalize(join(dirname(document), decodeURI(path)));
  const file = join(root, target);
  if (relative(root, file).startsWith('..') || !existsSync(file)) return false;
  if (heading === undefined) return true;
  return statSync(file).isFile() && anchorsOf(readFileSync(file, 'utf8')).has(heading);
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutFences(text).matchAll(/^#{1,6} +(.+)$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
    const anchor = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    let unique = anchor;
    for (let next = 1; anchors.has(unique); next += 1) unique = `${anchor}-${next}`;
    anchors.add(unique);
  }
  return anchors;
}
