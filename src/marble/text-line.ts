import { charactersOf } from './layout-words.js';

/** A line of text in which every character has its place and its colour. */
export class TextLine {
  readonly #cells: { readonly character: string; readonly style: Style }[] = [];

  /** Writes over what is there. */
  put(x: number, text: string, style: Style = ''): this {
    while (this.#cells.length < x) this.#cells.push({ character: ' ', style: '' });
    charactersOf(text).forEach((character, index) => (this.#cells[x + index] = { character, style }));
    return this;
  }

  /** As much of the line as has room, without blanks at its end; with colours as ANSI sequences, if it is to have some. */
  toText(colour: boolean, columns: number): string {
    let text = '';
    let now: Style = '';
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
}

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
