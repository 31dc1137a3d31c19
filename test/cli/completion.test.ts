import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { describedOptions } from '../../src/cli/rx-amanda/completion/described-options.js';
import { commands, main } from '../../src/cli/rx-amanda/main.js';
import { fakeEnvironment } from './fake-environment.js';

async function script(shell: string): Promise<string> {
  const fake = fakeEnvironment();
  expect(await main(['completion', shell], fake.environment)).toBe(0);
  return fake.out();
}

describe.each([...commands])('the options of %s', (_, load) => {
  it('each have a text, and a word for their value if they take one', async () => {
    const command = await load();
    for (const { name, value, text } of describedOptions(command)) {
      expect([name, text]).not.toEqual([name, '']);
      if (command.options[name]?.type === 'string') expect(value).toMatch(/^[[A-Z-]/);
      else expect(value).toBeUndefined();
    }
  });
});

describe('rx-amanda completion', () => {
  it('lets bash complete commands, options and values', async () => {
    const words = (...all: readonly string[]): string =>
      `COMP_WORDS=(${all.join(' ')}); COMP_CWORD=${all.length - 1}; _rx_amanda; echo "\${COMPREPLY[*]}"`;
    const program = [
      await script('bash'),
      words('rx-amanda', 'est'),
      words('rx-amanda', 'estimate', '--lev'),
      words('rx-amanda', 'check', '--auth', 'bsdt'),
      words('rx-amanda', 'draw', '--lev'),
    ].join('\n');
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program], { encoding: 'utf8' });
    expect([stderr, stdout.split('\n')]).toEqual(['', ['estimate', '--level', 'bsdtcp', '', '']]);
  });

  it('has a line for each option in fish, and a specification in zsh', async () => {
    const [fish, zsh] = await Promise.all([script('fish'), script('zsh')]);
    expect(fish).toContain(
      "complete -c rx-amanda -n '__fish_seen_subcommand_from estimate' -l level -r -d '0 (default) for a full dump, 1 to 399 for what has changed…'\n",
    );
    expect(zsh).toContain("'*--json[one JSON document on standard output, errors too]' \\\n");
    // A quote inside of one would end it.
    for (const line of [...fish.split('\n'), ...zsh.split('\n')])
      expect((line.match(/'/g) ?? []).length % 2, line).toBe(0);
  });

  it('refuses another shell', async () => {
    const fake = fakeEnvironment();
    expect(await main(['completion', 'zhs'], fake.environment)).toBe(2);
    expect(fake.err()).toBe(
      'rx-amanda: SHELL is bash, zsh or fish, not "zhs". Did you mean "zsh"?\n',
    );
  });
});
