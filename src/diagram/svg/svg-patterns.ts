import type { SpanKind } from '../model.js';
import { element, joinMarkup, type Markup } from './svg-markup.js';

const SHAPES: Readonly<Record<SpanKind, string>> = {
  paused: 'M-2 2L2-2M0 8L8 0M6 10L10 6',
  stalled: 'M0 0L8 8M8 0L0 8',
  waiting: 'M2 4h2',
};

/** The fill of spans: slanted lines for paused, crossed ones for stalled, dashes for waiting. */
export function patterns(id: string, kinds: readonly SpanKind[]): Markup {
  if (kinds.length === 0) return joinMarkup();
  return element(
    'defs',
    {},
    ...kinds.map((kind) =>
      element(
        'pattern',
        { id: `${id}-${kind}`, width: 8, height: 8, patternUnits: 'userSpaceOnUse' },
        element('path', { class: kind, d: SHAPES[kind] }),
      ),
    ),
  );
}
