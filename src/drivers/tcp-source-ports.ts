import {
  servicePortsOfSystem,
  sourcePorts,
  type SourcePortOptions,
} from '../access/reserved-port.js';

/**
 * The TCP source ports to try, from a random one on, without those of /etc/services. Errors as
 * `sourcePorts`.
 */
export function tcpSourcePorts(
  range: Pick<SourcePortOptions, 'first' | 'last'> = {},
): readonly number[] {
  return [...sourcePorts({ ...range, taken: servicePortsOfSystem('tcp') })];
}
