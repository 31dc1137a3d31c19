import { concat, concatMap, from, map, of, type Observable, type OperatorFunction } from 'rxjs';
import type { Connection } from '../../../connection/connection.js';
import type { CallOptions } from '../../../initiator/call-options.js';
import { noop } from '../../../initiator/noop.js';
import { onConnection } from '../../../initiator/on-connection.js';
import type { Dle } from '../../../wire/dle/dle.js';
import { beforeFeatures } from '../../../wire/explanations.js';
import type { Features } from '../../../wire/features.js';
import { dleOf, dleProblems } from '../../config/disk-dle.js';
import type { ConfigValues } from '../configured.js';
import { connectTarget } from '../connect-target.js';
import type { ProcessEnvironment } from '../environment.js';
import type { Output } from '../output.js';
import { callTimingFor, type TargetValues } from '../target.js';
import type { AskedDisk, AskedHost } from './choose-hosts.js';

/** Why a disk was not asked about, or a whole host. */
export interface Unasked {
  readonly kind: 'unasked';
  /** Absent for all disks of the host. */
  readonly disk?: string;
  readonly text: string;
}

/** What a call asks about. */
export interface DiskRequest {
  readonly dles: readonly Dle[];
  /** The entries of the OPTIONS line, and the features of the target. */
  readonly call: CallOptions;
}

/**
 * Asks a host for its features and then, over the same connection, about those of its disks that
 * it supports. As amcheck does, it leaves the others out and says why.
 */
export function askHost<T>(
  { target, name, disks, maxdumps }: AskedHost,
  values: TargetValues & ConfigValues,
  output: Output,
  environment: ProcessEnvironment,
  ask: (request: DiskRequest) => OperatorFunction<Connection, T>,
): Observable<Unasked | T> {
  const timing = callTimingFor(target);
  const options = { maxdumps, hostname: name, config: values.config };
  return connectTarget(target, values, output, environment).pipe(
    onConnection((connection) =>
      of(connection).pipe(
        noop(timing),
        concatMap(({ features }) => {
          const asked = judge(disks, features, target.host);
          const call = { ...timing, options, target: features };
          const unasked = from(asked.unasked);
          const isPointless = asked.dles.length === 0 && asked.unasked.length > 0;
          return isPointless
            ? unasked
            : concat(unasked, of(connection).pipe(ask({ dles: asked.dles, call })));
        }),
      ),
    ),
    map((answer) => answer),
  );
}

function judge(
  disks: readonly AskedDisk[],
  features: Features,
  host: string,
): { readonly dles: readonly Dle[]; readonly unasked: readonly Unasked[] } {
  if (!features.has('fe_req_xml'))
    return { dles: [], unasked: [{ kind: 'unasked', text: beforeFeatures(host) }] };
  const judged = disks.map((disk) => ({ disk, problems: dleProblems(disk.settings, features) }));
  return {
    dles: judged
      .filter(({ problems }) => problems.length === 0)
      .map(({ disk }) => dleOf(disk, features)),
    unasked: judged.flatMap(({ disk: { disk }, problems }) =>
      problems.map((text) => ({ kind: 'unasked', disk, text }) as const),
    ),
  };
}
