// The steps of `npm test`, by name. Each resolves to how many tests passed, and to the names of
// those that failed or were skipped.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from './setup.mjs';
import { checkProven, writeProven } from './proven.mjs';
import { runProject } from './projects.mjs';
import { moduleFile, npm, run, say } from './tools.mjs';

const nothing = { passed: 0, failed: [], skipped: [], suites: [] };
const env = {
  ...process.env,
  ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }),
};

/**
 * `scratch` is a folder for temporary files. `within` shortens a time limit to what is left of the
 * whole run. `update` writes docs/proven.md.
 */
export function makeSteps({ scratch, update, within }) {
  return {
    lint: tool('lint', 300, 'eslint/bin/eslint.js', ['--max-warnings', '0', '.']),
    format: tool('format', 120, 'prettier/bin/prettier.cjs', ['--check', '--log-level=warn', '.']),
    types: tool('types', 180, 'typescript/bin/tsc', ['-p', 'tsconfig.json', '--noEmit']),
    'page types': tool('page types', 60, 'typescript/bin/tsc', [
      ...['-p', 'src/cli/web/page/tsconfig.json', '--noEmit'],
    ]),
    build: { run: async () => outcome('build', await build()) },
    unit: project('unit', 420, ['build']),
    marbles: project('marbles', 180),
    compliance: project('compliance', 300, ['programs', 'build']),
    web: project('web', 180, ['programs', 'build']),
    interop: project('interop', 840, ['programs', 'build']),
    proven: { needs: ['interop'], run: proven },
    publint: onTarball('publint', 'publint/src/cli.js', ['run', '--strict'], []),
    attw: onTarball(
      'attw',
      '@arethetypeswrong/cli/dist/index.js',
      [],
      [...['--profile', 'esm-only', '--no-emoji']],
    ),
    package: ofBuild('package', project('package', 300).run),
  };

  /** One run of a tool; its output is shown when it fails. */
  function tool(name, seconds, file, words) {
    return { run: () => runTool(name, seconds, file, words) };
  }

  async function runTool(name, seconds, file, words) {
    const ran = await run(process.execPath, [moduleFile(file), ...words], {
      env,
      seconds: within(seconds),
    });
    if (ran.status === 0) return outcome(name);
    return outcome(name, [ran.output.trimEnd(), ran.error].filter(Boolean).join('\n'));
  }

  /** One project of vitest.config.ts; every test of it counts. */
  function project(name, seconds, needs = []) {
    return {
      needs,
      run: () => runProject(name, { scratch, env, seconds: within(seconds) }),
    };
  }

  /** The table of what is proven, which only a whole run of the interop tests shows. */
  async function proven(done) {
    const { failed, skipped, suites } = done.find(({ name }) => name === 'interop');
    if (failed.length > 0) return skip('proven', 'interop tests have failed');
    if (skipped.length > 0) return skip('proven', 'interop tests were skipped');
    return outcome('proven', await (update ? writeProven : checkProven)(suites));
  }

  function onTarball(name, file, before, after) {
    return ofBuild(name, async () => {
      const packed = await npm(['pack', '--ignore-scripts', '--pack-destination', scratch], {
        env,
        seconds: within(60),
      });
      const tarball = (await readdir(scratch)).find((entry) => entry.endsWith('.tgz'));
      if (tarball === undefined) return outcome(name, packed.output);
      return runTool(name, 120, file, [...before, join(scratch, tarball), ...after]);
    });
  }

  /** A step that looks at what the build has made. */
  function ofBuild(name, body) {
    return {
      needs: ['build'],
      run: (done) =>
        done.some((one) => one.name === 'build' && one.failed.length > 0)
          ? skip(name, 'there is no build to look at')
          : body(),
    };
  }
}

/** A step that is one test: it has failed when there is a sentence. */
export function outcome(name, sentence) {
  if (sentence === undefined) return { ...nothing, passed: 1 };
  say(sentence);
  return { ...nothing, failed: [name] };
}

function skip(name, reason) {
  return { ...nothing, skipped: [{ name, reason }] };
}
