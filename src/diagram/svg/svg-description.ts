import { printable } from '../../wire/text.js';
import { kindInWords } from '../layout/layout-caption.js';
import { timeInWords } from '../layout/layout-words.js';
import type { Diagram, Lane, LaneEvent } from '../model.js';

/** Further events of a lane are counted. */
const MOST = 60;

/** The diagram in words, for readers who do not see the picture. */
export function describe({ sentence, lanes, length }: Diagram): string {
  return [
    sentence,
    ...lanes.map((lane) => laneInWords(lane)),
    `It ends at ${timeInWords(length)}.`,
  ].join('\n');
}

function laneInWords(lane: Lane): string {
  const { name, direction, under, events, spans, subscriptions } = lane;
  const about = [
    name === kindInWords(lane) ? '' : kindInWords(lane),
    direction === undefined ? '' : direction === 'in' ? 'arriving' : 'leaving',
    under === undefined ? '' : `under ${under}`,
  ].filter((part) => part !== '');
  const periods = [
    ...subscriptions.map((period) => ({ label: 'subscribed', ...period })),
    ...spans,
  ];
  const happenings = [
    ...limited(events.map(eventInWords)),
    ...limited(
      periods.map(
        ({ label, from, to }) =>
          `${label} from ${timeInWords(from)} ${to === undefined ? 'on' : `to ${timeInWords(to)}`}`,
      ),
    ),
  ];
  return `${name}${about.length === 0 ? '' : ` (${about.join(', ')})`}: ${happenings.length === 0 ? 'nothing happens' : happenings.join('; ')}.`;
}

function eventInWords({ at, kind, label }: LaneEvent): string {
  const what = kind === 'complete' ? 'complete' : kind === 'error' ? `error ${label}` : label;
  return `at ${timeInWords(at)} ${printable(what)}`;
}

function limited(parts: readonly string[]): readonly string[] {
  return parts.length <= MOST
    ? parts
    : [...parts.slice(0, MOST), `and ${parts.length - MOST} more`];
}
