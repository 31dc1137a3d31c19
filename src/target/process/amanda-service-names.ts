import { AmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';

/** Amanda's services and executables. Source: PROTOCOL.md, "The exchange: target". */
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

/** The name of a service of Amanda's, such as `sendbackup`. */
export type AmandaServiceName = (typeof amandaServiceNames)[number];

/**
 * The services that amandad offers for the words on its command line. `amdump` names four of them;
 * no words name the defaults of the driver. Throws `BAD_ARGUMENT` for another word, because the
 * words become part of a path.
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
