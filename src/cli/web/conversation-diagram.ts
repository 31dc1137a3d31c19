import { Recording } from '../../diagram/recording.js';
import type { Diagram, Span } from '../../diagram/model.js';
import type { KnownLane, Step } from './steps.js';

/** A part of a conversation, in milliseconds since it was opened. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** The most events of a picture; beyond that, neighbours are joined. */
const MOST_EVENTS = 1_500;

/** Makes the diagram of one part of a conversation. */
export function conversationDiagram(
  words: Pick<Diagram, 'title' | 'sentence'>,
  lanes: readonly KnownLane[],
  steps: readonly Step[],
  part: TimeRange,
): Diagram {
  const recording = new Recording({ ...words, maxEvents: MOST_EVENTS });
  for (const { start } of lanes) recording.next({ kind: 'lane', at: 0, lane: start });
  const spans = new Map<string, Step & { readonly kind: 'span' }>();
  for (const step of steps) {
    if (step.kind === 'event' && step.event.at >= part.from && step.event.at <= part.to) {
      const { at, until } = step.event;
      const event = {
        ...step.event,
        at: at - part.from,
        ...(until === undefined ? {} : { until: until - part.from }),
      };
      recording.next({ kind: 'event', lane: step.lane.start.name, event });
    }
    // The last step about a span replaces the earlier ones.
    if (step.kind === 'span')
      spans.set(`${step.lane.index} ${step.span.kind} ${step.span.from}`, step);
  }
  for (const { lane, span } of spans.values()) {
    if (span.from <= part.to && (span.to ?? Infinity) >= part.from)
      recording.next({ kind: 'span', lane: lane.start.name, span: within(span, part) });
  }
  return recording.diagram();
}

function within(span: Span, { from, to }: TimeRange): Span {
  return {
    ...span,
    from: Math.max(0, span.from - from),
    to: span.to === undefined || span.to > to ? undefined : span.to - from,
  };
}
