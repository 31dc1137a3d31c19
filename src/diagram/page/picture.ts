import type { SpanKind } from '../model.js';

/** One line of a picture: a lane's events, a subscription to it, or a span on it. */
export interface PictureLine {
  readonly lane: string;
  readonly shows: 'events' | 'subscription' | SpanKind;
  /** The words after the lane's name. */
  readonly label: string;
  readonly marbles: string;
}

/**
 * Reads a picture: one line for each lane, with two blanks or more between label and marbles.
 *
 *     target                     --A 99ms R         events
 *     target ^                   ^--- 99ms !        a subscription to the lane `target`
 *     initiator                  Q------- 94ms (AC)
 *     initiator waiting for ACK  ^-!                a span: `paused`, `stalled` or `waiting for …`
 *
 * Throws a plain Error for a line that cannot be read: a picture is source code.
 */
export function readPicture(picture: string): readonly PictureLine[] {
  return picture
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(readLine);
}

function readLine(line: string): PictureLine {
  const [, lane, label, marbles] = /^ *(\S+)((?: \S+)*?) {2,}(\S.*)$/.exec(line) ?? [];
  if (lane === undefined || label === undefined || marbles === undefined)
    throw new Error(`This line of a picture has no label and marbles: "${line}"`);
  return { lane, shows: kindOf(label.trim()), label: label.trim(), marbles: marbles.trimEnd() };
}

function kindOf(label: string): PictureLine['shows'] {
  if (label === '') return 'events';
  if (label === '^') return 'subscription';
  if (label === 'paused' || label === 'stalled') return label;
  if (label.startsWith('waiting')) return 'waiting';
  throw new Error(
    `A line of a picture shows events, ^, paused, stalled or waiting for something, not "${label}"`,
  );
}
