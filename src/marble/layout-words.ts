/** The characters of a text; in a terminal most take a column each. */
export function charactersOf(text: string): readonly string[] {
  return Array.from(text);
}

/** A time as it is written beside an axis: `9.999 s`, `1 h 1 min`. */
export function timeInWords(milliseconds: number): string {
  if (milliseconds < 1_000) return `${milliseconds < 100 ? rounded(milliseconds) : Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${rounded(milliseconds / 1_000)} s`;
  const [size, unit] = milliseconds < 3_600_000 ? [60_000, 'min'] : [3_600_000, 'h'];
  const count = Math.floor(milliseconds / size);
  const rest = milliseconds - count * size;
  return rest === 0 ? `${count} ${unit}` : `${count} ${unit} ${timeInWords(rest)}`;
}

/** A size for a marble: `512 B`, `32 KiB`, `1.5 MiB`. */
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

/** The front of a text, with an ellipsis where something is left out. */
export function short(text: string, limit: number, ellipsis = '…'): string {
  const characters = charactersOf(text);
  return characters.length <= limit ? text : `${characters.slice(0, Math.max(0, limit - ellipsis.length)).join('')}${ellipsis}`;
}

/** A text in lines of at most so many characters, broken at blanks where there are some. */
export function wrapped(text: string, limit: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((one) => pieces(one, limit))) {
    if (line !== '' && line.length + 1 + word.length > limit) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

function pieces(word: string, limit: number): readonly string[] {
  const count = Math.ceil(word.length / limit);
  return count <= 1 ? [word] : Array.from({ length: count }, (_, index) => word.slice(index * limit, (index + 1) * limit));
}

function rounded(count: number): number {
  return Number(count.toFixed(3));
}
