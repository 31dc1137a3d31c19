import { AMANDA_PORT } from '../../wire/role.js';
import { printable } from '../../wire/text.js';
import { configInvalid } from './lexer.js';
import type { Setting } from './settings.js';

/**
 * The port that a number or the name of a service stands for, by the text of /etc/services.
 *
 * Errors with `CONFIG_INVALID` for a number outside 1 to 65535 and for a name that is not there.
 */
export function resolvePort(
  { value, at }: Setting<string>,
  protocol: 'tcp' | 'udp',
  services: string,
): number {
  if (/^\d+$/.test(value)) {
    const port = Number(value);
    if (port >= 1 && port <= 65_535) return port;
    throw configInvalid(
      at,
      `a port must be a whole number from 1 to 65535, not ${printable(value)}.`,
    );
  }
  const port = portOfService(value, protocol, services);
  if (port !== undefined) return port;
  throw configInvalid(
    at,
    `there is no service "${printable(value)}" over ${protocol} in /etc/services; give the number of the port.`,
  );
}

/** The port of a service by the text of /etc/services; Amanda's own is known without. */
export function portOfService(
  name: string,
  protocol: 'tcp' | 'udp',
  services: string,
): number | undefined {
  for (const line of services.split('\n')) {
    const [first, port = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const [, digits] =
      (first === name || aliases.includes(name)
        ? /^(\d{1,5})\/(tcp|udp)$/.exec(port)
        : undefined) ?? [];
    if (digits !== undefined && port.endsWith(`/${protocol}`)) return Number(digits);
  }
  return name === 'amanda' ? AMANDA_PORT : undefined;
}
