import { AmandaError } from '../wire/errors.js';
import { inRange } from '../wire/ranges.js';
import { printable } from '../wire/text.js';

/** The greatest number of a port. */
export const MAX_PORT = 65_535;

/** Throws `BAD_ARGUMENT` for a number that is no port. */
export function checkPort(port: number): void {
  inRange('A port', port, 1, MAX_PORT);
}

/** `CONNECT_FAILED` for a name that leads to no address. */
export function unknownHost(host: string, cause: unknown): AmandaError {
  const { code, message } =
    cause instanceof Error
      ? (cause as NodeJS.ErrnoException)
      : { code: undefined, message: String(cause) };
  const told: Readonly<Record<string, string>> = {
    ENOTFOUND: 'neither DNS nor /etc/hosts has it; is the name right?',
    EAI_AGAIN: 'the name server does not answer; try again, or check /etc/resolv.conf.',
  };
  const why = told[code ?? ''] ?? `${printable(message)}.`;
  return new AmandaError('CONNECT_FAILED', `The host ${printable(host)} is not known: ${why}`, {
    cause,
    peer: host,
  });
}
