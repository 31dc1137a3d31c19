import { readFileSync } from 'node:fs';
import { servicePorts, sourcePorts, type SourcePortOptions } from '../access/reserved-port.js';

/**
 * The TCP source ports to try, from a random one on, without those of /etc/services. Errors as
 * `sourcePorts`.
 */
export function tcpSourcePorts(
  range: Pick<SourcePortOptions, 'first' | 'last'> = {},
): readonly number[] {
  return [...sourcePorts({ ...range, taken: takenPorts() })];
}

/** Ports below 1024 that belong to a service, which could not bind a port that we took. */
function takenPorts(): ReadonlySet<number> {
  try {
    return servicePorts(readFileSync('/etc/services', 'utf8'), 'tcp');
  } catch {
    return new Set();
  }
}
