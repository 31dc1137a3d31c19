import { captionOf } from '../layout/layout-caption.js';
import { timeInWords } from '../layout/layout-words.js';
import type { Medium } from '../layout/layout.js';
import type { Diagram, LaneEvent } from '../model.js';
import type { Glyphs } from './text-glyphs.js';
import { charactersOf, columnsOf } from './text-width.js';

/** Time as characters: one for each step, and the length of its text for a marble. */
export function textMedium(diagram: Diagram, width: number, glyphs: Glyphs): Medium {
  return {
    width,
    step: 1,
    margin: 0,
    extent: (_, events, hidden) => {
      const text = togetherText(diagram, events, hidden, glyphs);
      // Single characters may be adjacent; names and numbers need a blank.
      return { before: 0, after: columnsOf(text) + (charactersOf(text).length === 1 ? 0 : 1) };
    },
    breakWidth: (milliseconds) => timeInWords(milliseconds).length + 2,
  };
}

/** The events of one time on a lane: `A`, `REQ`, `(A|)`, `(ACK close)`. */
export function togetherText(
  diagram: Diagram,
  events: readonly LaneEvent[],
  hidden: number,
  glyphs: Glyphs,
): string {
  const written = events.map((event) => eventText(diagram, event, glyphs));
  // The hidden ones are before the last one.
  if (hidden > 0) written.splice(-1, 0, `+${hidden}`);
  if (written.length === 1) return written.join('');
  return `(${written.join(written.every((one) => one.length === 1) ? '' : ' ')})`;
}

/** The text of an event on its lane and in the legend. */
export function eventText(diagram: Diagram, event: LaneEvent, glyphs: Glyphs): string {
  if (event.kind === 'complete') return glyphs.complete;
  if (event.kind === 'error') return glyphs.error;
  const sign = event.direction === undefined ? '' : glyphs.signs[event.direction];
  const caption = `${sign}${glyphs.text(captionOf(event, diagram))}`;
  if (event.kind === 'frame')
    return event.symbol === undefined ? `${event.handle}:${caption}` : caption;
  if (event.kind === 'close')
    return event.handle === undefined ? caption : `${event.handle}:${caption}`;
  return caption;
}
