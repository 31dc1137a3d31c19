import type { PacketType } from '../wire/packet.js';

/**
 * Lanes with time: what a marble page declares, what a recording of a live conversation yields, and
 * what is drawn. All times are milliseconds since the diagram began.
 */
export interface Diagram {
  readonly title: string;
  /** What there is to see, in a sentence. */
  readonly sentence: string;
  /** From top to bottom. A lane that lies under another one follows it. */
  readonly lanes: readonly Lane[];
  /** What the symbols stand for; a recording has labels instead. */
  readonly legend: readonly LegendEntry[];
  /** Where the lanes end, in milliseconds. */
  readonly length: number;
}

/** Stands between the name of a lane and that of one under it. */
export const LANE_SEPARATOR = '/';

/** A connection, a protocol handle or a stream on it, or something of the user beside them: a result, a service, an action. */
export type LaneKind = 'connection' | 'handle' | 'stream' | 'user';

/** Seen from the side that the diagram is about: `in` arrives, `out` leaves. */
export type Direction = 'in' | 'out';

export interface Lane {
  /** Unique in its diagram. It may begin with the name of the lane that it lies under and a {@link LANE_SEPARATOR}, which are not drawn again. */
  readonly name: string;
  readonly kind: LaneKind;
  /** Undefined where nothing travels, and where it goes both ways: there the events have theirs. */
  readonly direction: Direction | undefined;
  /** The number of a protocol handle or stream. */
  readonly handle: number | undefined;
  /** The name of the lane that this one lies under, as a stream does under its connection. */
  readonly under: string | undefined;
  /** When it begins, in milliseconds, if it is not there all the time. Such a lane is drawn where it lasts only, and one of a page always. */
  readonly from?: number | undefined;
  /** In order of time; several may be at one time. */
  readonly events: readonly LaneEvent[];
  readonly spans: readonly Span[];
  readonly subscriptions: readonly Period[];
}

export type LaneEvent = Happening & {
  /** Milliseconds. */
  readonly at: number;
  /** The one character that stands for it in the legend, if there is one. */
  readonly symbol?: string | undefined;
  /** What it is, in a few words. */
  readonly label: string;
  /** Which way it went, if not the way of its lane: both sides talk on one protocol handle. */
  readonly direction?: Direction | undefined;
  /** How many of its kind it stands for, `bytes` being their sum; default 1. A recording joins what comes in great numbers. */
  readonly count?: number | undefined;
  /** When the last of them was, in milliseconds. */
  readonly until?: number | undefined;
};

/** What can happen on a lane. `bytes` is the size, `preview` the first bytes if they were kept. */
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
  /** A frame without payload: its handle is closed in this direction. On a connection lane it says which. */
  | { readonly kind: 'close'; readonly handle?: number }
  | { readonly kind: 'error'; readonly code?: string }
  | { readonly kind: 'complete' };

/** From a moment to another one, in milliseconds; without an end it lasts as long as the diagram. */
export interface Period {
  readonly from: number;
  readonly to: number | undefined;
}

/** Reading is stopped; somebody blocks somebody; the exchange waits for a packet. */
export type SpanKind = 'paused' | 'stalled' | 'waiting';

/** A state that lasts. */
export interface Span extends Period {
  readonly kind: SpanKind;
  /** In words: "paused", "waiting for ACK". */
  readonly label: string;
}

export interface LegendEntry {
  readonly symbol: string;
  readonly label: string;
}
