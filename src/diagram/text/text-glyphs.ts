import { printable } from '../../wire/text.js';
import type { Direction, LaneKind } from '../model.js';
import type { Track } from '../layout/layout-caption.js';

/** The characters of a text diagram. */
export interface Glyphs {
  readonly lines: Readonly<Record<LaneKind, string>>;
  /** The line of a lane in a break of the axis. */
  readonly gap: string;
  readonly complete: string;
  readonly error: string;
  readonly under: string;
  readonly directions: Readonly<Record<Direction, string>>;
  /** Precedes a marble with a direction of its own. */
  readonly signs: Readonly<Record<Direction, string>>;
  readonly tracks: Readonly<
    Record<Track['kind'], { readonly begin: string; readonly on: string; readonly end: string }>
  >;
  /** Makes a text safe for a terminal, with the characters that this has. */
  readonly text: (text: string) => string;
}

/** For terminals with box drawing characters. */
export const unicodeGlyphs: Glyphs = {
  lines: { connection: '═', handle: '─', stream: '─', user: '╌' },
  gap: '┄',
  complete: '|',
  error: '✕',
  under: '└ ',
  directions: { in: '↓', out: '↑' },
  signs: { in: '↓', out: '↑' },
  tracks: {
    subscribed: { begin: '^', on: '─', end: '!' },
    paused: { begin: '├', on: '▒', end: '┤' },
    stalled: { begin: '├', on: '█', end: '┤' },
    waiting: { begin: '├', on: '·', end: '┤' },
  },
  text: (text) => printable(text, Infinity),
};

/** For other terminals. */
export const asciiGlyphs: Glyphs = {
  lines: { connection: '=', handle: '-', stream: '-', user: '-' },
  gap: '.',
  complete: '|',
  error: '#',
  under: '  ',
  directions: { in: 'in', out: 'out' },
  signs: { in: '<', out: '>' },
  tracks: {
    subscribed: { begin: '^', on: '-', end: '!' },
    paused: { begin: '[', on: '/', end: ']' },
    stalled: { begin: '[', on: 'x', end: ']' },
    waiting: { begin: '[', on: '.', end: ']' },
  },
  text: (text) =>
    printable(text, Infinity)
      .replaceAll('…', '...')
      .replaceAll('×', 'x')
      .replace(/[^ -~]/gu, '?'),
};
