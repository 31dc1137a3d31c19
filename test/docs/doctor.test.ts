import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { findingKinds } from '../../src/doctor/finding-kinds.js';

it('docs/doctor.md has a heading for each kind of finding, and no other', () => {
  const page = readFileSync(new URL('../../docs/doctor.md', import.meta.url), 'utf8');
  const headings = [...page.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading);
  expect(headings.toSorted()).toEqual(findingKinds.toSorted());
});
