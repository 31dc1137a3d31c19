/**
 * ` Did you mean "noop"?`: the known words that are most like this one. Empty when none is.
 *
 * A word is like another one if it takes few changes to become it, or begins as it does.
 */
export function didYouMean(word: string, known: Iterable<string>): string {
  const close = closestWords(word, known);
  if (close.length === 0) return '';
  return ` Did you mean ${close.map((name) => `"${name}"`).join(' or ')}?`;
}

/** The most words that are suggested. */
const MOST = 3;

function closestWords(word: string, known: Iterable<string>): readonly string[] {
  const typed = word.toLowerCase();
  // A long text is no slip of the finger, and comparing it takes long.
  if (typed.length < 2 || typed.length > 40) return [];
  const rated = [...new Set(known)]
    .map((name) => ({ name, changes: distance(typed, name.toLowerCase()) }))
    .filter(({ name, changes }) => changes <= allowed(typed) && changes < name.length);
  const least = Math.min(...rated.map(({ changes }) => changes));
  const nearest = rated.filter(({ changes }) => changes === least);
  const found =
    nearest.length > 0
      ? nearest
      : [...new Set(known)]
          .filter((name) => typed.length > 2 && name.toLowerCase().startsWith(typed))
          .map((name) => ({ name }));
  return found.slice(0, MOST).map(({ name }) => name);
}

function allowed(word: string): number {
  return Math.max(1, Math.floor(word.replace(/^-+/, '').length / 3));
}

/** The least number of letters to insert, remove, replace or swap with the next one. */
function distance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, at) => at)];
  for (let row = 1; row <= from.length; row += 1) {
    const cells = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      cells.push(
        Math.min(
          (rows[row - 1]?.[column] ?? Infinity) + 1,
          (cells[column - 1] ?? Infinity) + 1,
          (rows[row - 1]?.[column - 1] ?? Infinity) + (same ? 0 : 1),
          isSwap ? (rows[row - 2]?.[column - 2] ?? Infinity) + 1 : Infinity,
        ),
      );
    }
    rows.push(cells);
  }
  return rows.at(-1)?.at(-1) ?? Infinity;
}
