import { charactersOf, type Measure } from '../text/text-width.js';

/** A time: `9.999 s`, `1 h 1 min`. */
export function timeInWords(milliseconds: number): string {
  if (milliseconds < 100) return `${rounded(milliseconds)} ms`;
  const whole = Math.round(milliseconds);
  if (whole < 1_000) return `${whole} ms`;
  if (whole < 60_000) return `${rounded(whole / 1_000)} s`;
  const [size, unit] = whole < 3_600_000 ? [60_000, 'min'] : [3_600_000, 'h'];
  const count = Math.floor(whole / size);
  const rest = whole - count * size;
  return rest === 0 ? `${count} ${unit}` : `${count} ${unit} ${timeInWords(rest)}`;
}

/** A size: `512 B`, `32 KiB`, `1.5 MiB`. */
export function sizeInWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  const size = bytes / 1024 ** power;
  return `${size < 10 ? Number(size.toFixed(1)) : Math.round(size)} ${units[power - 1] ?? ''}`;
}

const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A number with commas: `1,204`. */
export function numberInWords(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 lane`, `2,000 lanes`. */
export function countInWords(number: number, noun: string): string {
  return `${numberInWords(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** Longer texts are cut first: measuring a million characters of a hostile peer takes seconds. */
const MOST_MEASURED = 10_000;

/** The front of a text, with an ellipsis if it was cut. */
export function short(
  text: string,
  limit: number,
  measure: Measure = countOf,
  ellipsis = '…',
): string {
  if (text.length <= MOST_MEASURED && measure(text) <= limit) return text;
  return `${front(charactersOf(text.slice(0, MOST_MEASURED)), limit - measure(ellipsis), measure)}${ellipsis}`;
}

/** A text in lines within the limit, broken at blanks if possible. */
export function wrapped(
  text: string,
  limit: number,
  measure: Measure = countOf,
): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((one) => pieces(one, limit, measure))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && measure(longer) > limit) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line === '' ? lines : [...lines, line];
}

/** The first lines of a text, with an ellipsis if there are more. */
export function firstLines(
  text: string,
  count: number,
  limit: number,
  measure: Measure = countOf,
): readonly string[] {
  const lines = wrapped(text.slice(0, MOST_MEASURED), limit, measure);
  const last = lines[count - 1];
  return last === undefined || lines.length === count
    ? lines
    : [...lines.slice(0, count - 1), short(`${last} …`, limit, measure)];
}

function pieces(word: string, limit: number, measure: Measure): readonly string[] {
  if (measure(word) <= limit) return [word];
  const found: string[] = [];
  let piece = '';
  let width = 0;
  for (const character of charactersOf(word)) {
    const more = measure(character);
    if (piece !== '' && width + more > limit) {
      found.push(piece);
      [piece, width] = ['', 0];
    }
    piece += character;
    width += more;
  }
  return [...found, piece];
}

/** As many of the characters as fit. */
function front(characters: readonly string[], room: number, measure: Measure): string {
  let text = '';
  let left = room;
  for (const character of characters) {
    left -= measure(character);
    if (left < 0) return text;
    text += character;
  }
  return text;
}

function countOf(text: string): number {
  return charactersOf(text).length;
}

function rounded(count: number): number {
  return Number(count.toFixed(3));
}
