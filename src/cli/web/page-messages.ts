/**
 * A message from the server to the page. Each server-sent event carries a JSON array of them, in
 * order. Applying a message twice changes nothing.
 *
 * Times are in milliseconds: within a connection since it was opened, others since 1970.
 */
export type PageMessage =
  /**
   * Everything but the events. `fresh`: replace all that is known; otherwise the page was too slow
   * and has missed events.
   */
  | {
      readonly kind: 'state';
      readonly fresh: boolean;
      readonly connections: readonly ConnectionState[];
    }
  | { readonly kind: 'opened'; readonly connection: ConnectionFacts }
  | { readonly kind: 'closed'; readonly connection: number; readonly closed: ClosedFacts }
  /** A connection that was dropped from the history, because there are too many. */
  | { readonly kind: 'forgotten'; readonly connection: number }
  | { readonly kind: 'lane'; readonly connection: number; readonly lane: LaneFacts }
  | {
      readonly kind: 'event';
      readonly connection: number;
      readonly lane: number;
      readonly event: EventFacts;
    }
  /** A span begins without `to` and ends with it. `span` and `from` identify it. */
  | {
      readonly kind: 'span';
      readonly connection: number;
      readonly lane: number;
      readonly span: SpanFacts;
    }
  | { readonly kind: 'totals'; readonly now: number; readonly connections: readonly Totals[] }
  /** The tap has ended; this is the last message. */
  | { readonly kind: 'over' };

export interface ConnectionFacts {
  readonly id: number;
  readonly at: number;
  /** The initiator; `target` is where its connection goes. */
  readonly peer: string;
  readonly target: string;
}

export interface ClosedFacts {
  readonly at: number;
  readonly how: string;
  readonly reason: string;
}

export interface ConnectionState extends ConnectionFacts {
  readonly closed?: ClosedFacts;
  readonly lanes: readonly LaneFacts[];
  readonly open: readonly { readonly lane: number; readonly span: SpanFacts }[];
  readonly totals: Totals;
}

export interface Totals {
  readonly id: number;
  /** Bytes each way; `out` leaves the initiator. */
  readonly in: number;
  readonly out: number;
  readonly events: number;
  /** The number of events that were dropped from the history. */
  readonly dropped: number;
  readonly services: readonly string[];
}

export interface LaneFacts {
  readonly index: number;
  readonly name: string;
  readonly kind: string;
  readonly direction?: 'in' | 'out';
  readonly handle?: number;
  /** The index of the lane above. */
  readonly under?: number;
}

export interface EventFacts {
  readonly at: number;
  readonly kind: string;
  readonly label: string;
  /** Absent when it is the lane's. */
  readonly direction?: 'in' | 'out';
  /** The number of joined events, and the time of the last of them. */
  readonly count?: number;
  readonly until?: number;
  /** The type of a packet, such as `REQ`. */
  readonly type?: string;
  readonly handle?: number;
  readonly bytes?: number;
  readonly code?: string;
  /** The first bytes in base64. */
  readonly preview?: string;
}

export interface SpanFacts {
  readonly span: 'paused' | 'stalled' | 'waiting';
  readonly label: string;
  readonly from: number;
  readonly to?: number;
}
