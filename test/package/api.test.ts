import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { entries, root } from './packed.js';

/** The script is plain JavaScript: this is what it exports. */
interface Script {
  readonly apiReports: () => Promise<{
    readonly reports: ReadonlyMap<string, string>;
    readonly internals: readonly string[];
  }>;
  readonly staleReports: () => Promise<readonly string[]>;
}

const script = pathToFileURL(join(root, 'scripts/api-report.mjs')).href;
const { apiReports, staleReports } = (await import(script)) as Script;

describe('the face of the package', () => {
  let made: Awaited<ReturnType<typeof apiReports>>;
  beforeAll(async () => {
    made = await apiReports();
  });

  it('has a report in api/ for each entry, and no other', async () => {
    expect((await readdir(join(root, 'api'))).map((file) => `api/${file}`).sort()).toEqual(
      [...made.reports.keys()].sort(),
    );
    expect(made.reports.size).toBe((await entries()).length);
    expect(made.reports.get('api/rx-amanda.md')).toContain('function connect(driver: Driver');
  });

  it('is what api/ says; `npm run api:accept` accepts a change', async () => {
    expect(
      await staleReports(),
      'The face differs from these reports. If that is meant: npm run build && npm run api:accept',
    ).toEqual([]);
  });

  it('names no type that no entry exports', () => {
    expect(made.internals).toEqual([]);
  });
});
