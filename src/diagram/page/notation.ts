import type { Period } from '../model.js';

/** A symbol at its time: a letter of the legend, `|` for the end or `#` for an error. */
export interface Tick {
  /** Milliseconds. */
  readonly at: number;
  readonly symbol: string;
}

/**
 * Reads marbles in the notation of RxJS's TestScheduler in run mode: one character is a
 * millisecond, `(ab)` is at one time, `9s 999ms` is silence.
 */
export function readMarbles(marbles: string): readonly Tick[] {
  return read(marbles).ticks;
}

/** Reads periods that begin with `^` and end with `!`. */
export function readPeriods(marbles: string): readonly Period[] {
  const periods: Period[] = [];
  for (const { at, symbol } of readMarbles(marbles)) {
    const last = periods.at(-1);
    if (symbol === '^') periods.push({ from: at, to: undefined });
    else if (symbol === '!' && last !== undefined && last.to === undefined)
      periods.splice(-1, 1, { from: last.from, to: at });
    else throw new Error(`A period is drawn with ^ and !: "${marbles}"`);
  }
  return periods;
}

/** How long marbles last, in milliseconds. */
export function marblesLength(marbles: string): number {
  return read(marbles).length;
}

/** A time between blanks, a group, or one character. */
const TOKEN =
  /(?<=^|\s)(?<count>\d+(?:\.\d+)?)(?<unit>ms|s|m)(?=\s|$)|\((?<group>[^()]*)\)|(?<symbol>\S)/g;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

function read(marbles: string): { readonly ticks: readonly Tick[]; readonly length: number } {
  const ticks: Tick[] = [];
  let at = 0;
  for (const { groups = {} } of marbles.matchAll(TOKEN)) {
    const { count, unit = '', group, symbol = '' } = groups;
    if (count !== undefined) at += Number(count) * (UNITS[unit] ?? 1);
    else if (group !== undefined) {
      for (const one of group.replaceAll(/\s/g, '')) ticks.push({ at, symbol: one });
      at += group.length + 2;
    } else {
      if (symbol !== '-') ticks.push({ at, symbol });
      at += 1;
    }
  }
  return { ticks, length: at };
}

/** One line of marbles to write. */
export interface MarbleRow {
  readonly label: string;
  readonly ticks: readonly Tick[];
}

/** Longer silence is written as a time. */
const LONGEST_DASHES = 16;

/**
 * Writes rows as marbles, aligned in time, one below the other. {@link readMarbles} reads each
 * back. Marbles cannot express an event within the width of the group before it, so that one is
 * written after `@` and its time.
 */
export function writeMarbles(rows: readonly MarbleRow[], length: number): readonly string[] {
  const placed = rows.map(({ ticks }) => placements(ticks));
  const silences = silencesOf(placed.flat(), length);
  const width = Math.max(0, ...rows.map(({ label }) => label.length));
  return rows.map(({ label }, index) =>
    `${label.padEnd(width)}  ${line(placed[index] ?? [], silences, length)}`.trimEnd(),
  );
}

interface Placement {
  readonly at: number;
  readonly text: string;
}

function placements(ticks: readonly Tick[]): readonly Placement[] {
  const byTime = new Map<number, string>();
  for (const { at, symbol } of ticks) byTime.set(at, `${byTime.get(at) ?? ''}${symbol}`);
  return [...byTime]
    .sort(([a], [b]) => a - b)
    .map(([at, symbols]) => ({ at, text: symbols.length > 1 ? `(${symbols})` : symbols }));
}

/** The periods of silence on all rows that are long enough to be written as a time. */
function silencesOf(
  all: readonly Placement[],
  length: number,
): readonly { readonly from: number; readonly to: number }[] {
  const busy = [
    ...all.map(({ at, text }) => ({ from: at, to: at + text.length })),
    { from: length, to: length },
  ].sort((a, b) => a.from - b.from);
  const silences = [];
  let quietSince = 0;
  for (const { from, to } of busy) {
    if (from - quietSince > LONGEST_DASHES) silences.push({ from: quietSince, to: from });
    quietSince = Math.max(quietSince, to);
  }
  return silences;
}

function line(
  placed: readonly Placement[],
  silences: readonly { readonly from: number; readonly to: number }[],
  length: number,
): string {
  let text = '';
  let now = 0;
  let over = false;
  const pass = (until: number): void => {
    for (const { from, to } of silences.filter(
      (silence) => silence.from >= now && silence.to <= until,
    )) {
      const time = ` ${duration(to - from)} `;
      text += (over ? ' ' : '-').repeat(from - now) + (over ? ' '.repeat(time.length) : time);
      now = to;
    }
    text += (over ? ' ' : '-').repeat(Math.max(0, until - now));
    now = Math.max(now, until);
  };
  for (const { at, text: shown } of placed) {
    const late = at < now;
    pass(at);
    text += late ? `@${at}ms${shown}` : shown;
    if (!late) now += shown.length;
    over ||= /[|#!]/.test(shown);
  }
  pass(length);
  return text;
}

/** `3723004` is `62m 3s 4ms`. */
export function duration(milliseconds: number): string {
  const parts = [
    [Math.floor(milliseconds / 60_000), 'm'],
    [Math.floor(milliseconds / 1_000) % 60, 's'],
    [milliseconds % 1_000, 'ms'],
  ] as const;
  return (
    parts
      .filter(([count]) => count > 0)
      .map(([count, unit]) => `${count}${unit}`)
      .join(' ') || '0ms'
  );
}
