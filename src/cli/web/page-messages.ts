/**
 * What the server tells the page, as JSON: each server-sent event carries an array of these, in order. Times are milliseconds, those within a
 * connection since it was opened, `at` and `now` of the others since 1970. Being told something twice changes nothing.
 */
export type PageMessage =
  /** All that is there but for the events. `fresh`: forget what you know; else you were too slow, and events are lost. */
  | {
      readonly kind: 'state';
      readonly fresh: boolean;
      readonly connections: readonly ConnectionState[];
    }
  | { readonly kind: 'opened'; readonly connection: ConnectionFacts }
  | { readonly kind: 'closed'; readonly connection: number; readonly closed: ClosedFacts }
  /** There were too many connections; this one is no longer kept. */
  | { readonly kind: 'forgotten'; readonly connection: number }
  | { readonly kind: 'lane'; readonly connection: number; readonly lane: LaneFacts }
  | {
      readonly kind: 'event';
      readonly connection: number;
      readonly lane: number;
      readonly event: EventFacts;
    }
  /** Begun when `to` is missing, else ended; `from` and `span` tell which. */
  | {
      readonly kind: 'span';
      readonly connection: number;
      readonly lane: number;
      readonly span: SpanFacts;
    }
  | { readonly kind: 'totals'; readonly now: number; readonly connections: readonly Totals[] }
  /** The tap itself is over; nothing more comes. */
  | { readonly kind: 'over' };

export interface ConnectionFacts {
  readonly id: number;
  readonly at: number;
  /** Who connected, and to whom it was passed on. */
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
  /** Bytes each way: `out` from the side that connected. */
  readonly in: number;
  readonly out: number;
  readonly events: number;
  /** How many of the events are no longer kept. */
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
  /** If not its lane's. */
  readonly direction?: 'in' | 'out';
  /** How many it stands for, until when. */
  readonly count?: number;
  readonly until?: number;
  /** Of a packet: `REQ`. */
  readonly type?: string;
  readonly handle?: number;
  readonly bytes?: number;
  readonly code?: string;
  /** The first bytes, in base64. */
  readonly preview?: string;
}

export interface SpanFacts {
  readonly span: 'paused' | 'stalled' | 'waiting';
  readonly label: string;
  readonly from: number;
  readonly to?: number;
}
