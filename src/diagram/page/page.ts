import type { Observable, Subscription } from 'rxjs';
import type { Legend } from '../mark.js';
import type { Direction, LaneKind, SpanKind } from '../model.js';
import { readMarbles } from './notation.js';
import { readPicture, type PictureLine } from './picture.js';

/** What a lane of a page is, and (as a type only) what flows on it. */
export interface PageLane<V = unknown> {
  readonly kind: LaneKind;
  readonly direction?: Direction | undefined;
  readonly handle?: number | undefined;
  readonly under?: string | undefined;
  /** A given lane whose times are those of the page, whenever it is subscribed. Without it they begin with each subscription. */
  readonly hot?: boolean;
  /** Never set. */
  readonly carries?: V;
}

/** What a page's function gets besides its lanes. */
export interface PageScope {
  /** What is to be ended with the page. */
  readonly ends: Subscription;
  /** Hands over a state that lasts, to be held against the spans of that kind. */
  measure(kind: SpanKind, state: Observable<boolean>): void;
}

type Values = Readonly<Record<string, unknown>>;
type Lanes<V extends Values> = { readonly [K in keyof V]: PageLane<V[K]> };
type Sources<V extends Values> = { readonly [K in keyof V]: Observable<V[K]> };

/** One behaviour, declared once: run as a test in virtual time, and drawn. */
export interface PageDeclaration<G extends Values, E extends Values> {
  readonly title: string;
  /** The operator or the part of the protocol that shows the behaviour. */
  readonly about: string;
  /** The behaviour, in a sentence. */
  readonly sentence: string;
  /** The lanes as marbles, see {@link readPicture}. It ends where its longest line does. */
  readonly picture: string;
  readonly legend: Legend;
  /** The lanes that the page plays. A `^` line says when they must be subscribed. */
  readonly given: Lanes<G>;
  /** The lanes that must come out. A `^` line says when they are subscribed; default from the start to the end. */
  readonly expected: Lanes<E>;
  /** Makes what is expected out of what is given. */
  readonly wire: (given: Sources<G>, scope: PageScope) => Sources<E>;
}

/** A page as those who run and draw it see it. */
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

/** Declares a page. Throws a plain Error when picture, lanes and legend do not belong together. */
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
  const stray = lines.find(({ lane }) => !names.includes(lane));
  if (stray !== undefined)
    throw new Error(
      `"${rest.title}": the picture has a lane ${stray.lane} that the page does not declare`,
    );
  const symbols = lines.flatMap(({ shows, marbles }) =>
    shows === 'events' ? readMarbles(marbles).map(({ symbol }) => symbol) : [],
  );
  const unknown = symbols.find((symbol) => symbol !== '|' && !Object.hasOwn(rest.legend, symbol));
  if (unknown !== undefined)
    throw new Error(`"${rest.title}": the legend does not say what ${unknown} is`);
  // A page knows the types of its own lanes; to all others they are what the legend says.
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

/** A lane of bytes on one stream, one way; without a number, bytes from anywhere. */
export function streamLane(
  handle: number | undefined,
  direction: Direction,
  details: LaneDetails = {},
): PageLane<Uint8Array> {
  return { kind: 'stream', handle, direction, ...details };
}

/** A lane of whatever the user gives or gets. */
export function userLane<V>(details: LaneDetails = {}): PageLane<V> {
  return { kind: 'user', ...details };
}
