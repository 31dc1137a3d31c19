import type { Dle } from '../../wire/dle/dle.js';
import { printable } from '../../wire/text.js';
import type { BackupEntry } from './backup-entry.js';
import { isExcluded, isIncluded } from './tar-patterns.js';

/** The first setting of a disk list entry that is not honoured here, as a sentence. */
export function whatIsRefused(
  dle: Dle,
  { application, selects = false }: BackupEntry,
): string | undefined {
  const { compress, encrypt, kencrypt, datapath, exclude, include, scripts } = dle;
  const asked = dle.program === 'APPLICATION' ? dle.backupProgram?.plugin : undefined;
  if (application !== asked || !['GNUTAR', 'APPLICATION'].includes(dle.program))
    return `the entry must have ${programOf(application)}, not ${named(dle)}`;
  if (compress?.method === 'CUSTOM')
    return 'a custom program for compression on the client is not supported here';
  if (encrypt?.method === 'CUSTOM' || kencrypt === true)
    return 'encryption on the client is not supported here';
  if (datapath?.kind === 'DIRECTTCP') return 'the data path DIRECTTCP is not supported here';
  if (scripts !== undefined) return 'scripts are not supported here';
  for (const [name, selection] of Object.entries({ exclude, include })) {
    if (selection === undefined) continue;
    if (selection.lists.length > 0) return `${name} lists are not supported here`;
    if (selection.files.length > 0 && !selects) return `${name} is not supported here`;
  }
  const odd = include?.files.find((pattern) => !pattern.startsWith('./'));
  return odd === undefined ? undefined : `include must start with './', not ${printable(odd, 40)}`;
}

function programOf(application: string | undefined): string {
  return application === undefined
    ? 'the program GNUTAR'
    : `the application ${printable(application)}`;
}

function named({ program, backupProgram }: Dle): string {
  return printable(program === 'APPLICATION' ? (backupProgram?.plugin ?? program) : program, 40);
}

/** The level of zlib that an entry's compression on the client asks for. */
export function gzipLevelOf({ compress }: Dle): number | undefined {
  if (compress?.method === 'FAST') return 1;
  return compress?.method === 'BEST' ? 9 : undefined;
}

/** Whether an entry wants a file, by its `exclude` and `include`. */
export function selectionOf({ exclude, include }: Dle): (path: string) => boolean {
  const left = exclude?.files ?? [];
  const taken = include?.files ?? [];
  return (path) => {
    const name = `.${path}`;
    return (taken.length === 0 || isIncluded(taken, name)) && !isExcluded(left, name);
  };
}
