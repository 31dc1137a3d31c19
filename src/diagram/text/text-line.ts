import { charactersOf, columnsOf } from './text-width.js';

interface Cell {
  /** Empty in the second column of a wide character. */
  readonly character: string;
  readonly style: Style;
}

/** A line of text in which every character has its place and its colour. */
export class TextLine {
  readonly #cells: Cell[] = [];

  /** Writes over what is there. */
  put(x: number, text: string, style: Style = ''): this {
    while (this.#cells.length < x) this.#cells.push(BLANK);
    let at = x;
    for (const character of charactersOf(text)) {
      const columns = columnsOf(character);
      // What takes no column of its own would be lost or move the rest.
      if (columns === 0) continue;
      this.#free(at);
      this.#free(at + columns);
      this.#cells[at] = { character, style };
      if (columns === 2) this.#cells[at + 1] = { character: '', style };
      at += columns;
    }
    return this;
  }

  /** As much of the line as has room, without blanks at its end; with colours as ANSI sequences, if it is to have some. */
  toText(colour: boolean, columns: number): string {
    let text = '';
    let now: Style = '';
    this.#free(columns);
    const cells = this.#cells.slice(0, columns);
    const end = cells.findLastIndex(({ character }) => character !== ' ') + 1;
    for (const { character, style } of cells.slice(0, end)) {
      if (colour && style !== now) {
        text += style === '' ? RESET : `${now === '' ? '' : RESET}\u001b[${style}m`;
        now = style;
      }
      text += character;
    }
    return now === '' ? text : `${text}${RESET}`;
  }

  /** A character of two columns of which one is taken is not there any more. */
  #free(x: number): void {
    if (this.#cells[x]?.character !== '') return;
    this.#cells[x - 1] = BLANK;
    this.#cells[x] = BLANK;
  }
}

const BLANK: Cell = { character: ' ', style: '' };

/** What stands between `ESC [` and `m`; empty for plain text. */
export type Style = string;

export const styles = {
  title: '1',
  name: '1',
  quiet: '2',
  error: '1;31',
  subscribed: '2',
  paused: '33',
  stalled: '31',
  waiting: '34',
} as const;

/** The colours of handles, 0 for what has none. */
export const hueStyles = ['', '36', '33', '32', '35', '34'] as const;

const RESET = '\u001b[0m';
