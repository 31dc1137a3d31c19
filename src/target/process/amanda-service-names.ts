import { AmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';

/** Every service that Amanda has; an executable of that name each. Source: PROTOCOL.md, "The exchange: target". */
export const amandaServiceNames = [
  'noop',
  'sendsize',
  'sendbackup',
  'selfcheck',
  'senddiscover',
  'restore',
  'amindexd',
  'amidxtaped',
  'amdumpd',
  'ambackupd',
] as const;

export type AmandaServiceName = (typeof amandaServiceNames)[number];

/**
 * The services that amandad offers for the words on its command line: those that the words name, `amdump` for four of them; for none, those that
 * it offers over this driver. Throws `BAD_ARGUMENT` for a word that is not one of Amanda's services: a path is made of it.
 */
export function amandaServicesNamed(
  words: readonly string[],
  auth?: string,
): readonly AmandaServiceName[] {
  return words.length === 0 ? defaultNames(auth) : words.flatMap(expand);
}

const amdump: readonly AmandaServiceName[] = ['noop', 'sendsize', 'sendbackup', 'selfcheck'];

function defaultNames(auth = ''): readonly AmandaServiceName[] {
  return ['local', 'rsh', 'ssh'].includes(auth)
    ? amandaServiceNames
    : [...amdump, 'senddiscover', 'restore'];
}

function expand(word: string): readonly AmandaServiceName[] {
  if (word === 'amdump') return amdump;
  const name = amandaServiceNames.find((known) => known === word);
  if (name === undefined) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      `"${printable(word, 80)}" is no service of Amanda's; there are amdump, ${amandaServiceNames.join(', ')}.`,
    );
  }
  return [name];
}
