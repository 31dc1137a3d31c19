import { AmandaError } from '../wire/errors.js';
import { readRegularFile } from './regular-file.js';
import { allowed, refused, type Verdict } from './verdict.js';

/** The lowest port that every user may bind. Only root may bind those below, so they prove root. */
const FIRST_UNRESERVED_PORT = 1024;

/**
 * Allows requests from the source ports 1 … 1023; unknown is refused. Source: PROTOCOL.md,
 * "Access".
 */
export function checkSourcePort(host: string, port: number | undefined): Verdict {
  return (port ?? Infinity) < FIRST_UNRESERVED_PORT
    ? allowed
    : refused(`host ${host}: port ${port ?? 'unknown'} not secure`);
}

export interface SourcePortOptions {
  /** 1 … 65535, default 512. */
  readonly first?: number;
  /** `first` … 65535, default 1023. */
  readonly last?: number;
  /** Ports of other services, never tried: {@link servicePorts} of /etc/services. Default none. */
  readonly taken?: ReadonlySet<number>;
  /** A number of at least 0 and below 1. Default Math.random. */
  readonly random?: () => number;
}

/**
 * The source ports that an initiator tries, each once: from a random one to the end of the range,
 * then from its start. Errors with `BAD_ARGUMENT` for a bad range. Source: PROTOCOL.md, "Drivers".
 */
export function sourcePorts({
  first = 512,
  last = 1023,
  taken = new Set(),
  random = Math.random,
}: SourcePortOptions = {}): Iterable<number> {
  if (
    !Number.isInteger(first) ||
    !Number.isInteger(last) ||
    first < 1 ||
    last < first ||
    last > 65_535
  ) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      `A range of source ports must lie within 1 to 65535 and end at or after its start, not be ${first} to ${last}.`,
    );
  }
  return around(first, last - first + 1, taken, random);
}

function* around(
  first: number,
  count: number,
  taken: ReadonlySet<number>,
  random: () => number,
): Generator<number> {
  const start = Math.floor(random() * count);
  for (let step = 0; step < count; step += 1) {
    const port = first + ((start + step) % count);
    if (!taken.has(port)) yield port;
  }
}

/**
 * The ports that the text of /etc/services gives to services other than Amanda's; a daemon that
 * starts later needs its port. The first line of a port counts. Malformed lines are skipped.
 */
export function servicePorts(servicesText: string, protocol: 'tcp' | 'udp'): ReadonlySet<number> {
  const owners = new Map<number, string>();
  for (const line of servicesText.split('\n')) {
    const [, name, port, itsProtocol] = /^\s*([^\s#]+)\s+(\d{1,5})\/([a-z]+)/.exec(line) ?? [];
    if (name !== undefined && itsProtocol === protocol && !owners.has(Number(port)))
      owners.set(Number(port), name);
  }
  return new Set([...owners].filter(([, name]) => !name.includes('amanda')).map(([port]) => port));
}

/** The most bytes of /etc/services; Debian's has 13,000. */
const MAX_SERVICES_BYTES = 1_048_576;

/** {@link servicePorts} of this system; none if /etc/services is unreadable. */
export function servicePortsOfSystem(protocol: 'tcp' | 'udp'): ReadonlySet<number> {
  try {
    const { bytes } = readRegularFile('/etc/services', MAX_SERVICES_BYTES);
    return servicePorts(bytes.toString(), protocol);
  } catch {
    return new Set();
  }
}
