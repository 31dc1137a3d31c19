import { formatVolumes } from '../../../initiator/recover/index-entries.js';
import { shownPath } from '../../../initiator/recover/escaped-path.js';
import { formatBytes, formatTime } from '../../terminal/units.js';
import { formatRate } from '../progress-line.js';
import type { GetPlan } from './get-plan.js';
import type { Got } from './get.js';
import { shownDate } from './recover-place.js';

/** The plan as lines for a person. */
export function planLines({ place, paths, dumps }: GetPlan): string[] {
  return [
    `${paths.map(({ shown }) => shown).join(', ')} of ${place.host}:${place.disk} ` +
      `needs ${dumps.length === 1 ? 'one dump' : `${dumps.length} dumps, in this order`}:`,
    ...dumps.map(
      ({ datestamp, level, volumes }) =>
        `  ${shownDate(datestamp)}  level ${level}  ${formatVolumes(volumes)}`,
    ),
  ];
}

export function planDocument({ place, paths, dumps }: GetPlan): object {
  return {
    ...place,
    paths: paths.map(({ escaped }) => escaped),
    dumps: dumps.map(({ datestamp, level, volumes }) => ({ date: datestamp, level, volumes })),
  };
}

/** What was recovered, as lines for a person. */
export function gotLines(
  { plan, entries, bytes, placed, milliseconds }: Got,
  destination: string,
): string[] {
  const { kept = [], keptCount = 0, same = 0 } = placed ?? {};
  const newest = plan.dumps.at(-1)?.datestamp ?? '';
  return [
    `${plan.paths.map(({ shown }) => shown).join(', ')} of ${plan.place.host}:${plan.place.disk} ` +
      `is recovered into ${destination}, as of ${shownDate(newest)}.`,
    `  read    ${formatBytes(bytes)} from ${plan.dumps.length === 1 ? 'one dump' : `${plan.dumps.length} dumps`}, ` +
      `${entries} ${entries === 1 ? 'entry' : 'entries'}`,
    `  time    ${formatTime(milliseconds)}, ${formatRate(bytes, milliseconds)}`,
    ...(same > 0 ? [`  same    ${same} that were there already`] : []),
    ...kept.map((path) => `  stays   ${shownPath(path)}, which differs`),
    ...(keptCount > kept.length ? [`  stays   … and ${keptCount - kept.length} more`] : []),
    ...(keptCount > 0 ? ['  Existing entries stay; --overwrite replaces them.'] : []),
  ];
}

export function gotDocument(
  { plan, entries, bytes, placed, milliseconds }: Got,
  destination: string,
): object {
  const { kept = [], keptCount = 0, same = 0 } = placed ?? {};
  return {
    ...planDocument(plan),
    into: destination,
    entries,
    bytes,
    same,
    kept: kept.map((path) => shownPath(path)),
    keptCount,
    milliseconds: Math.round(milliseconds),
  };
}
