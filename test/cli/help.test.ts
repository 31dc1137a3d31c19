import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/rx-amanda/main.js';

/** The options that a help lists: at the start of a line, or after `, `. */
function listed(help: string): readonly string[] {
  return [...help.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name = '']) => name);
}

describe.each([...commands])('the help of %s', (_, load) => {
  it('lists every option once, and no other', async () => {
    const { help, options } = await load();
    expect(listed(help).toSorted()).toEqual(Object.keys(options).toSorted());
  });

  it('names the letter of each option that has one', async () => {
    const { help, options } = await load();
    for (const [name, { short }] of Object.entries(options))
      if (short !== undefined)
        expect(help).toMatch(new RegExp(`^ {2}--${name}, -${short}\\b`, 'm'));
  });

  it('lists its own options before those that many commands have', async () => {
    const { help } = await load();
    const [first] = listed(help);
    const own = help.indexOf(`  --${first ?? ''}`);
    const reaching = help.indexOf('Reaching the host:');
    expect(reaching === -1 || own < reaching).toBe(true);
  });

  it('lists only exit codes that it has', async () => {
    const { help } = await load();
    expect(help).toContain('\nExit code:\n  0    ');
    expect(help).not.toMatch(/^ {2}4 {4}\(/m);
  });
});
