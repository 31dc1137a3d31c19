// Writes what dist/ has for other programs: manual pages, and completions for shells. Both come
// from the help and the option tables of the commands.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './tools.mjs';

const dist = join(root, 'dist');
const load = (path) => import(pathToFileURL(join(dist, 'cli', path)).href);

/** The folders of dist/ that no source makes. */
export const generated = ['man', 'completion'];

/** Writes dist/man/ and dist/completion/. Resolves to a sentence about a failure. */
export async function writeManuals() {
  try {
    const { commands } = await load('rx-amanda/main.js');
    const { completedCommands } = await load('rx-amanda/completion/completion-command.js');
    const { completionFor, shells } = await load('rx-amanda/completion/shell-scripts.js');
    const { help } = await load('rx-amandad/amandad-help.js');
    const { packageVersion } = await load('version.js');
    for (const folder of generated) await mkdir(join(dist, folder), { recursive: true });
    const version = packageVersion();
    const all = await Promise.all([...commands].map(async ([name, get]) => [name, await get()]));
    const pages = [
      ['rx-amanda.1', overview(all, version)],
      ...all.map(([name, { help: text, summary }]) => [
        `rx-amanda-${name}.1`,
        manualPage({ name: `rx-amanda-${name}`, section: 1, summary, help: text, version }),
      ]),
      [
        'rx-amandad.8',
        manualPage({
          name: 'rx-amandad',
          section: 8,
          summary: 'a target of the Amanda backup system',
          help,
          version,
        }),
      ],
    ];
    for (const [name, text] of pages) await writeFile(join(dist, 'man', name), text);
    const completed = await completedCommands(commands);
    for (const shell of shells)
      await writeFile(
        join(dist, 'completion', `rx-amanda.${shell}`),
        completionFor(shell, completed),
      );
    return undefined;
  } catch (error) {
    return `setup: the manual pages could not be written: ${error.stack}`;
  }
}

function overview(all, version) {
  const list = all.map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`).join('\n');
  return manualPage({
    name: 'rx-amanda',
    section: 1,
    summary: 'talk to targets of the Amanda backup system',
    version,
    help: `Usage: rx-amanda COMMAND [OPTION…] [WORD…]

Each command has a page of its own, such as rx-amanda-check(1).

Commands:
${list}

  --version    the version of this program
  --help       a list of the commands; after a command, its options
`,
  });
}

/** A manual page in the macros of man(7), from a help text. */
export function manualPage({ name, section, summary, help, version }) {
  const [usage = '', ...rest] = help.split(/\n\n/);
  const synopsis = usage
    .split('\n')
    .map((line) => line.replace(/^Usage:? */, '').trim())
    .map((line) => `.B ${roff(line)}`)
    .join('\n.br\n');
  return [
    `.TH ${name.toUpperCase()} ${section} "" "rx-amanda ${version}"`,
    '.SH NAME',
    `${roff(name)} \\- ${roff(summary)}`,
    '.SH SYNOPSIS',
    synopsis,
    '.SH DESCRIPTION',
    ...rest.flatMap((block) => blockLines(block.replace(/\n+$/, ''))),
    '',
  ].join('\n');
}

/** Paragraphs, headings that end with a colon, and lists: a word, two blanks, its text. */
function blockLines(block) {
  const out = [];
  let kind = 'none';
  for (const line of block.split('\n')) {
    const [, indent, word, , , text] = /^( *)(\S.*?)(( {2,})(\S.*))?$/.exec(line) ?? [];
    if (word === undefined) continue;
    if (indent.length === 0 && line.endsWith(':') && kind === 'none') {
      out.push(`.SS ${roff(line.slice(0, -1))}`);
      kind = 'heading';
    } else if (
      indent.length === 0 ||
      (indent.length === 2 && text === undefined && !/^-/.test(word))
    ) {
      if (kind !== 'text') out.push('.PP');
      out.push(roff(line.trim()));
      kind = 'text';
    } else if (indent.length > 3 && (kind === 'item' || kind === 'text'))
      out.push(roff(line.trim()));
    else {
      out.push('.TP', `.B ${roff(word)}`, ...(text === undefined ? [] : [roff(text)]));
      kind = 'item';
    }
  }
  return out;
}

/** A line of text that man(7) takes as it is. */
function roff(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1');
}
