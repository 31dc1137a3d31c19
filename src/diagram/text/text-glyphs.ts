import { printable } from '../../wire/text.js';
import type { Direction, LaneKind } from '../model.js';
import type { Track } from '../layout/layout-caption.js';

/** What lines are made of. */
export interface Glyphs {
  readonly lines: Readonly<Record<LaneKind, string>>;
  /** A lane where time is left out. */
  readonly gap: string;
  readonly complete: string;
  readonly error: string;
  readonly under: string;
  readonly directions: Readonly<Record<Direction, string>>;
  /** What stands before a marble that goes the other way than its lane. */
  readonly signs: Readonly<Record<Direction, string>>;
  readonly tracks: Readonly<
    Record<Track['kind'], { readonly begin: string; readonly on: string; readonly end: string }>
  >;
  /** A text with the characters that there are, safe for a terminal. */
  readonly text: (text: string) => string;
}

/** For terminals that have box drawing characters. */
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

/** For those that have not. */
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
