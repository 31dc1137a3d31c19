import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('docs/errors.md has a row for each code of AmandaError, and no other', () => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const source = readFileSync(new URL('../../src/wire/errors.ts', import.meta.url), 'utf8');
  const codes = [...source.matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(([, code]) => code);
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(40);
  expect(rows.toSorted()).toEqual(codes.toSorted());
});
