import type { Diagram } from '../../../diagram/model.js';

/** Into how many steps the time of a drawing is divided at the most: what is closer together than that is drawn side by side. */
const DRAWN_STEPS = 200;

/** How fine time is told apart in the drawing of a recorded conversation, in milliseconds. */
export function drawnStep({ length }: Diagram): number {
  return Math.max(1, Math.round(length / DRAWN_STEPS));
}
