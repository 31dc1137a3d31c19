import type { Lane, LaneEvent, Span, SpanKind } from './model.js';

/** A lane before anything has happened on it. */
export type LaneStart = Pick<Lane, 'name' | 'kind' | 'direction' | 'handle' | 'under'>;

/**
 * One step by which a diagram grows: what a recording emits while the conversation goes on, and what the
 * web page of a tap is told. Applied in order, they make a `Diagram`. Times are milliseconds since the recording began.
 */
export type Change =
  | { readonly kind: 'lane'; readonly at: number; readonly lane: LaneStart }
  | { readonly kind: 'event'; readonly lane: string; readonly event: LaneEvent }
  /** A state begins; its `to` is undefined until it ends. */
  | { readonly kind: 'span'; readonly lane: string; readonly span: Span }
  | {
      readonly kind: 'span-end';
      readonly lane: string;
      readonly span: SpanKind;
      readonly at: number;
    };
