import { readFileSync } from 'node:fs';
import { servicePorts, sourcePorts, type SourcePortOptions } from '../access/reserved-port.js';

/** The source ports to try for TCP, from a random one of the range on, without those that /etc/services gives to others. Errors as `sourcePorts`. */
export function tcpSourcePorts(
  range: Pick<SourcePortOptions, 'first' | 'last'> = {},
): readonly number[] {
  return [...sourcePorts({ ...range, taken: takenPorts() })];
}

/** Ports below 1024 that belong to a service: taking one as a source port would be in its way. */
function takenPorts(): ReadonlySet<number> {
  try {
    return servicePorts(readFileSync('/etc/services', 'utf8'), 'tcp');
  } catch {
    return new Set();
  }
}
