import type { LaneEvent, LaneStart, Span } from '../../diagram/model.js';
import type { TapChange } from '../../tap/tap-change.js';

/** A step of a conversation, with the number that pages know it by. */
export type Step = { readonly number: number } & (
  | { readonly kind: 'opened' }
  | { readonly kind: 'closed'; readonly closed: Closed }
  | { readonly kind: 'lane'; readonly lane: KnownLane }
  | { readonly kind: 'event'; readonly lane: KnownLane; readonly event: LaneEvent }
  /** Kept once when the span begins, and again with its `to` when it ends. */
  | { readonly kind: 'span'; readonly lane: KnownLane; readonly span: Span }
);

export interface KnownLane {
  readonly index: number;
  readonly start: LaneStart;
  /** The spans that have not ended. */
  readonly spans: Map<Span['kind'], Span>;
}

export type Opened = TapChange & { readonly kind: 'opened' };
export type Closed = TapChange & { readonly kind: 'closed' };
