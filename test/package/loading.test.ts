import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { root, run } from './packed.js';

/** The most that importing the package may take, in the time that importing RxJS alone takes. */
const MOST_TIMES_RXJS = 1.6;

/** Runs a program of one module, in which `rx-amanda` is what this checkout has built. */
async function runModule(program: string, ...parameters: readonly string[]): Promise<string> {
  const ran = await run(process.execPath, [...parameters, '--input-type=module', '-e', program]);
  if (ran.status !== 0) throw new Error(ran.stderr);
  return ran.stdout;
}

function asModule(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

/**
 * The files below src/ whose code an import of the entry has loaded, by the maps of what Node has
 * read.
 */
async function sourcesLoadedBy(entry: string): Promise<readonly string[]> {
  const hook = `export async function load(url, context, next) {
    if (url.startsWith('file:')) (await import('node:fs')).writeSync(1, url + '\\n');
    return next(url, context);
  }`;
  const register = `(await import('node:module')).register(${JSON.stringify(asModule(hook))});`;
  const urls = await runModule(`await import('${entry}')`, '--import', asModule(register));
  const files = urls
    .split('\n')
    .filter((url) => url.startsWith('file:'))
    .map((url) => fileURLToPath(url))
    .filter((file) => file.startsWith(`${root}dist/`));
  const sources = await Promise.all(
    files.map(async (file) => {
      const map = JSON.parse(await readFile(`${file}.map`, 'utf8')) as { sources: string[] };
      return map.sources.map((source) => posix.relative(root, posix.resolve(file, '..', source)));
    }),
  );
  return sources.flat().sort();
}

describe('an import of rx-amanda', () => {
  it.each(['rx-amanda', 'rx-amanda/driver'])(
    'loads no diagrams, captures, taps, test tools or command line with %s',
    async (entry) => {
      const sources = await sourcesLoadedBy(entry);
      expect(sources).toContain('src/drivers/over-channel.ts');
      expect(
        sources.filter((source) => /^src\/(diagram|capture|tap|testing|cli)\//.test(source)),
      ).toEqual([]);
    },
  );

  it('loads the wire alone with rx-amanda/wire', async () => {
    const sources = await sourcesLoadedBy('rx-amanda/wire');
    expect(sources).toContain('src/wire/frame.ts');
    expect(sources.filter((source) => !source.startsWith('src/wire/'))).toEqual([]);
  });

  it('finds diagrams where they are wanted', async () => {
    expect(await sourcesLoadedBy('rx-amanda/diagram')).toContain('src/diagram/svg/svg.ts');
  });

  it(`takes at most ${MOST_TIMES_RXJS} times as long as RxJS alone`, async ({ annotate }) => {
    const milliseconds = async (name: string): Promise<number> =>
      Number(
        await runModule(
          `const start = performance.now(); await import('${name}'); console.log(performance.now() - start)`,
        ),
      );
    const ratios: number[] = [];
    const times: number[] = [];
    for (let pair = 0; pair < 25; pair += 1) {
      const rxjs = await milliseconds('rxjs');
      const own = await milliseconds('rx-amanda');
      ratios.push(own / rxjs);
      times.push(own);
    }
    const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[12] ?? NaN;
    await annotate(`${median(ratios).toFixed(2)} times RxJS alone: ${median(times).toFixed(0)} ms`);
    expect(median(ratios)).toBeLessThanOrEqual(MOST_TIMES_RXJS);
  });
});
