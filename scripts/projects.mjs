// Runs one project of vitest.config.ts and reads what scripts/reporter.mjs has written of it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { moduleFile, root, run } from './tools.mjs';

export async function runProject(name, { scratch, env, seconds }) {
  const results = join(scratch, `${name}.json`);
  const words = ['run', '--project', name, '--allowOnly=false', '--reporter=default'];
  const ran = await run(
    process.execPath,
    [moduleFile('vitest/vitest.mjs'), ...words, `--reporter=${join(root, 'scripts/reporter.mjs')}`],
    { env: { ...env, RX_AMANDA_RESULTS: results }, show: true, seconds },
  );
  const { passed, failed, skipped, suites } = await read(results);
  // A skip without a reason is a test that was silently given up.
  for (const one of skipped)
    if (one.reason === undefined) failed.push(`${one.name}: skipped without a reason`);
  if (passed + failed.length + skipped.length === 0)
    failed.push(`${name}: ${ran.error ?? 'no test was run'}`);
  else if (ran.status !== 0 && failed.length === 0)
    failed.push(`${name}: ${ran.error ?? `vitest ended with ${ran.status}`}`);
  return { passed, failed, skipped: skipped.filter(({ reason }) => reason !== undefined), suites };
}

async function read(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return { passed: 0, failed: [], skipped: [], suites: [] };
  }
}
