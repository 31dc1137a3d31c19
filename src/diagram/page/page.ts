import type { Observable, Subscription } from 'rxjs';
import type { Direction, Happening, LaneKind, SpanKind } from '../model.js';
import { readMarbles } from './notation.js';
import { readPicture, type PictureLine } from './picture.js';

/** What a symbol of a page stands for: the value, how it is drawn, and its text in the legend. */
export interface Mark<V = unknown> {
  /** The value on the lane. */
  readonly value: V;
  /** How it is drawn. */
  readonly shows: Happening;
  /** Its text in the legend. */
  readonly label: string;
}

/** Marks by their symbols of one character. `#` is the error of every lane that ends in one. */
export type Legend = Readonly<Record<string, Mark>>;

/** A lane of a page; `V` is the type of its values. */
export interface PageLane<V = unknown> {
  /** What the lane carries. */
  readonly kind: LaneKind;
  /** Which way; absent for lanes of the user. */
  readonly direction?: Direction | undefined;
  /** Its handle; absent when it has none. */
  readonly handle?: number | undefined;
  /** The lane that it is drawn under; absent when there is none. */
  readonly under?: string | undefined;
  /** Whether the times of a given lane are those of the page, not of each subscription. */
  readonly hot?: boolean;
  /** Never set. */
  readonly carries?: V;
}

/** What a page's `wire` gets besides its lanes. */
export interface PageScope {
  /** Ends with the page. */
  readonly ends: Subscription;
  /** Compares a state with the page's spans of that kind. */
  measure(kind: SpanKind, state: Observable<boolean>): void;
  /** Lists what a source emits in the report of a page that fails. It is compared with nothing. */
  list(name: string, source: Observable<unknown>): void;
}

type Values = Readonly<Record<string, unknown>>;
type Lanes<V extends Values> = { readonly [K in keyof V]: PageLane<V[K]> };
type Sources<V extends Values> = { readonly [K in keyof V]: Observable<V[K]> };

/** One behaviour, declared once: it runs as a test in virtual time, and is drawn. */
export interface PageDeclaration<G extends Values, E extends Values> {
  readonly title: string;
  /** The operator, or the part of the protocol. */
  readonly about: string;
  /** The behaviour, in a sentence. */
  readonly sentence: string;
  /** The lanes as marbles, see {@link readPicture}. Its longest line is its length. */
  readonly picture: string;
  readonly legend: Legend;
  /** The lanes that the page plays. A `^` line says when each must be subscribed. */
  readonly given: Lanes<G>;
  /** The lanes that must result. A `^` line says when each is subscribed; default: always. */
  readonly expected: Lanes<E>;
  /** Makes the expected lanes from the given ones. */
  readonly wire: (given: Sources<G>, scope: PageScope) => Sources<E>;
}

/** A declared page, to be run and drawn. */
export interface Page {
  readonly title: string;
  readonly about: string;
  readonly sentence: string;
  readonly lines: readonly PictureLine[];
  readonly legend: Legend;
  readonly given: Readonly<Record<string, PageLane>>;
  readonly expected: Readonly<Record<string, PageLane>>;
  readonly wire: (
    given: Readonly<Record<string, Observable<never>>>,
    scope: PageScope,
  ) => Readonly<Record<string, Observable<unknown>>>;
}

/** Declares a page. Throws a plain Error when picture, lanes and legend do not match. */
export function page<G extends Values, E extends Values>({
  picture,
  ...rest
}: PageDeclaration<G, E>): Page {
  const lines = readPicture(picture);
  const names = [...Object.keys(rest.given), ...Object.keys(rest.expected)];
  for (const name of names) {
    const drawn = lines.filter(({ lane, shows }) => lane === name && shows === 'events').length;
    if (drawn !== 1) throw new Error(`"${rest.title}": the lane ${name} is drawn ${drawn} times`);
  }
  const undeclared = lines.find(({ lane }) => !names.includes(lane));
  if (undeclared !== undefined)
    throw new Error(
      `"${rest.title}": the picture has a lane ${undeclared.lane} that the page does not declare`,
    );
  const symbols = lines.flatMap(({ shows, marbles }) =>
    shows === 'events' ? readMarbles(marbles).map(({ symbol }) => symbol) : [],
  );
  const unknown = symbols.find((symbol) => symbol !== '|' && !Object.hasOwn(rest.legend, symbol));
  if (unknown !== undefined)
    throw new Error(`"${rest.title}": the legend does not say what ${unknown} is`);
  // Only the page itself knows the types of its lanes.
  return { ...rest, lines, wire: rest.wire as unknown as Page['wire'] };
}

type LaneDetails = Omit<PageLane, 'kind' | 'carries'>;

/** A lane of frames or bytes of a whole connection. */
export function connectionLane<V>(details: LaneDetails = {}): PageLane<V> {
  return { kind: 'connection', ...details };
}

/** A lane of packets on one protocol handle, one way. */
export function handleLane(
  handle: number,
  direction: Direction,
  details: LaneDetails = {},
): PageLane<Uint8Array> {
  return { kind: 'handle', handle, direction, ...details };
}

/** A lane of bytes on one stream, one way; without a handle, bytes of any source. */
export function streamLane(
  handle: number | undefined,
  direction: Direction,
  details: LaneDetails = {},
): PageLane<Uint8Array> {
  return { kind: 'stream', handle, direction, ...details };
}

/** A lane of values of the user. */
export function userLane<V>(details: LaneDetails = {}): PageLane<V> {
  return { kind: 'user', ...details };
}
