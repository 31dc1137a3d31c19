import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseXml } from '../diagram/xml.js';
import { folder, pageFiles, picturesOf, picturesThere } from './pictures.js';

/** Set by `npm run marbles`: what lies there is then written, not compared. */
const writes = process.env['RX_AMANDA_MARBLES'] === 'write';

const files = await Promise.all(
  pageFiles.map(async (file) => ({ file, pictures: await picturesOf(file) })),
);

if (writes) test('the pictures are drawn anew', drawAnew);
else describe('the pictures beside the pages', isAsDrawn);

function isAsDrawn(): void {
  test.each(files.map(({ file, pictures }) => [file, pictures] as const))(
    'of %s are what its pages say (npm run marbles draws them anew)',
    (_, pictures) => {
      const stale = [...pictures]
        .filter(([path, content]) => read(path) !== content)
        .map(([path]) => path);
      expect(stale).toEqual([]);
    },
  );

  test.each(files.map(({ file, pictures }) => [file, pictures] as const))(
    'of %s are well-formed, each with a title and a description',
    (_, pictures) => {
      for (const [path, content] of pictures) {
        if (path.endsWith('.svg'))
          expect(
            parseXml(content)
              .children.slice(0, 2)
              .map(({ name }) => name),
          ).toEqual(['title', 'desc']);
      }
    },
  );

  test('are there for pages that there are', () => {
    expect(picturesThere()).toEqual(expectedPaths());
  });
}

function drawAnew(): void {
  const expected = expectedPaths();
  for (const path of picturesThere()) if (!expected.includes(path)) rmSync(new URL(path, folder));
  for (const [path, content] of files.flatMap(({ pictures }) => [...pictures])) {
    mkdirSync(new URL('.', new URL(path, folder)), { recursive: true });
    writeFileSync(new URL(path, folder), content);
  }
  expect(picturesThere()).toEqual(expected);
}

function expectedPaths(): readonly string[] {
  const paths = files.flatMap(({ pictures }) => [...pictures.keys()]);
  return [
    ...paths.filter((path) => path.endsWith('.svg')).sort(),
    ...paths.filter((path) => path.endsWith('.md')).sort(),
  ];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(new URL(path, folder), 'utf8');
  } catch {
    return undefined;
  }
}
