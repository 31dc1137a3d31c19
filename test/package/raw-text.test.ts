import { ESLint, Linter } from 'eslint';
import { expect, it } from 'vitest';
import { root } from './packed.js';

const eslint = new ESLint({ cwd: root });

/** The messages of the rules against raw text, for a line in a file of src/. */
async function found(file: string, code: string): Promise<readonly string[]> {
  const { rules } = (await eslint.calculateConfigForFile(`${root}/src/${file}`)) as Linter.Config;
  const rule = rules?.['no-restricted-syntax'] ?? 'off';
  return new Linter()
    .verify(code, {
      languageOptions: { sourceType: 'module' },
      rules: { 'no-restricted-syntax': rule },
    })
    .map(({ message }) => message.replace(/ .*/, ''));
}

it.each([
  ['stdout.write(line)', 'Output'],
  ['environment.stderr.write(line)', 'Output'],
  ['process.stdout.end(line)', 'Output'],
  ['console.log(line)', 'Output'],
  ['writeSync(2, line)', 'The'],
  ['element.innerHTML = text', 'A'],
  ['JSON.stringify(reply)', 'printableJson'],
])('no file but those that escape may have %s', async (code, message) => {
  expect(await found('cli/rx-amanda/noop.ts', code)).toContain(message);
  expect(await found('cli/rx-amandad/amandad.ts', code)).toContain(message);
});

it('the one file that prints may write', async () => {
  expect(await found('cli/rx-amanda/output.ts', 'environment.stdout.write(line)')).toEqual([]);
});
