import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { featureNames, Features } from '../../src/wire/features.js';

const page = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8');

function section(heading: string): string {
  const start = page.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`There is no heading "${heading}".`);
  const end = page.indexOf('\n## ', start + 1);
  return page.slice(start, end < 0 ? undefined : end);
}

test('the appendix has every feature bit, its name and whether 3.5.1 sets it', () => {
  const cells = [
    ...section('## Appendix: feature bits').matchAll(/\| (\d+) \| `(\w+)` \| ([01]) /g),
  ].map(([, bit, name, set]) => ({ bit: Number(bit), name, set: set === '1' }));
  expect(cells.toSorted((a, b) => a.bit - b.bit)).toEqual(
    featureNames.map((name, bit) => ({ bit, name, set: Features.amanda351.has(bit) })),
  );
});

test('the smallest sets of features are written as their bits are', () => {
  const rows = [
    ...section('## Features').matchAll(/^\| [^|]+ \| (\d[^|]*) \| `([0-9a-f]{10,})` \|$/gm),
  ].map(([, bits = '', hex = '']) => ({
    bits: [...bits.matchAll(/(\d+)(?:–(\d+))?/g)].flatMap(([, first, last = first]) =>
      Array.from({ length: Number(last) - Number(first) + 1 }, (_, at) => Number(first) + at),
    ),
    hex,
  }));
  expect(rows).toHaveLength(4);
  for (const { bits, hex } of rows) {
    const features = Features.parse(hex);
    expect(featureNames.flatMap((_, bit) => (features.has(bit) ? [bit] : []))).toEqual(
      bits.toSorted((a, b) => a - b),
    );
  }
});
