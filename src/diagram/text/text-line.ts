import { charactersOf, columnsOf } from './text-width.js';

interface Cell {
  /** Empty in the second column of a wide character. */
  readonly character: string;
  readonly style: Style;
}

/** A line of text whose characters have places and colours. */
export class TextLine {
  readonly #cells: Cell[] = [];

  /** Writes a text at a place, over what is there. */
  put(x: number, text: string, style: Style = ''): this {
    while (this.#cells.length < x) this.#cells.push(BLANK);
    let at = x;
    for (const character of charactersOf(text)) {
      const columns = columnsOf(character);
      // A character without a column would move the rest.
      if (columns === 0) continue;
      this.#free(at);
      this.#free(at + columns);
      this.#cells[at] = { character, style };
      if (columns === 2) this.#cells[at + 1] = { character: '', style };
      at += columns;
    }
    return this;
  }

  /** The first columns of the line, without blanks at the end; colours are ANSI sequences. */
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

  /** Removes a character of two columns when one of them is overwritten. */
  #free(x: number): void {
    if (this.#cells[x]?.character !== '') return;
    this.#cells[x - 1] = BLANK;
    this.#cells[x] = BLANK;
  }
}

const BLANK: Cell = { character: ' ', style: '' };

/** The text between `ESC [` and `m`; empty for plain text. */
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

/** The colours of handles; the first is for events without one. */
export const hueStyles = ['', '36', '33', '32', '35', '34'] as const;

const RESET = '\u001b[0m';
