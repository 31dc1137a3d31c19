import type { PacketType } from '../wire/packet.js';

/**
 * Lanes with events in time. A marble page declares one, and a recording of a connection makes one.
 * All times are milliseconds since the diagram began.
 */
export interface Diagram {
  readonly title: string;
  /** What it shows, in a sentence. */
  readonly sentence: string;
  /** From top to bottom. A lane follows the lane that it is under. */
  readonly lanes: readonly Lane[];
  /** The meaning of the symbols; a recording has labels instead. */
  readonly legend: readonly LegendEntry[];
  /** Where the lanes end. */
  readonly length: number;
}

/** Separates the name of a lane from the names of the lanes under it. */
export const LANE_SEPARATOR = '/';

/** `user`: something beside the connection, such as a result, a service or an action. */
export type LaneKind = 'connection' | 'handle' | 'stream' | 'user';

/** As seen by the side that the diagram is about: `in` arrives, `out` leaves. */
export type Direction = 'in' | 'out';

/** A lane of a diagram: its events and states in time. */
export interface Lane {
  /**
   * Unique in its diagram. The name of the lane that it is under and a {@link LANE_SEPARATOR} may
   * precede it; they are not drawn.
   */
  readonly name: string;
  readonly kind: LaneKind;
  /** Undefined when nothing travels on it, or when the events have directions of their own. */
  readonly direction: Direction | undefined;
  /** The number of a protocol handle or stream. */
  readonly handle: number | undefined;
  /** The name of the lane that this one is under; a stream is under its connection. */
  readonly under: string | undefined;
  /** Optional; when it begins. It is then drawn only while it lasts. Lanes of pages have none. */
  readonly from?: number | undefined;
  /** In order of time; several may have the same time. */
  readonly events: readonly LaneEvent[];
  readonly spans: readonly Span[];
  readonly subscriptions: readonly Period[];
}

/** An event of a lane, and its time. */
export type LaneEvent = Happening & {
  /** Milliseconds. */
  readonly at: number;
  /** Optional; its character in the legend. */
  readonly symbol?: string | undefined;
  /** A description of a few words. */
  readonly label: string;
  /** Optional; its direction when the lane has none, as on a protocol handle. */
  readonly direction?: Direction | undefined;
  /** How many events it stands for; `bytes` is then their sum. Default 1. */
  readonly count?: number | undefined;
  /** Optional; the time of the last of them. */
  readonly until?: number | undefined;
};

/** What can happen on a lane. `bytes` is the size; `preview` has the first bytes, if kept. */
export type Happening =
  | {
      readonly kind: 'frame';
      readonly handle: number;
      readonly bytes: number;
      readonly preview?: Uint8Array;
    }
  | {
      readonly kind: 'packet';
      readonly type: PacketType;
      readonly bytes: number;
      readonly preview?: Uint8Array;
    }
  | { readonly kind: 'chunk'; readonly bytes: number; readonly preview?: Uint8Array }
  | { readonly kind: 'value' }
  /**
   * An empty frame closes its handle in this direction. `handle`: on a connection lane, which one.
   */
  | { readonly kind: 'close'; readonly handle?: number }
  | { readonly kind: 'error'; readonly code?: string }
  | { readonly kind: 'complete' };

/** From one time to another; without an end it lasts as long as the diagram. */
export interface Period {
  readonly from: number;
  readonly to: number | undefined;
}

/** Reading is paused; an unread stream blocks another one; the exchange waits for a packet. */
export type SpanKind = 'paused' | 'stalled' | 'waiting';

/** A state that lasts. */
export interface Span extends Period {
  /** Which state it is. */
  readonly kind: SpanKind;
  /** Such as "paused" or "waiting for ACK". */
  readonly label: string;
}

/** What a symbol of a diagram stands for. */
export interface LegendEntry {
  readonly symbol: string;
  readonly label: string;
}

/** A lane before its first event. */
export type LaneStart = Pick<Lane, 'name' | 'kind' | 'direction' | 'handle' | 'under'>;

/**
 * One step by which a diagram grows. A recording emits them during the conversation; in order they
 * make a {@link Diagram}. Times are milliseconds since the recording began.
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
