import type { Output } from './output.js';
import type { ProcessEnvironment } from './environment.js';
import { formatBytes } from '../terminal/units.js';

/** Milliseconds between two progress lines: often on a terminal, seldom in a log. */
export function progressInterval({ stderr }: ProcessEnvironment): number {
  return stderr.isTTY === true ? 200 : 5_000;
}

/**
 * Shows progress on standard error: one changing line on a terminal, else several lines. Nothing
 * with `--quiet`; with `--json` on a terminal only. Texts are our own, without those of a peer.
 */
export class ProgressLine {
  readonly #stderr: ProcessEnvironment['stderr'];
  readonly #isShown: boolean;
  readonly #isTerminal: boolean;
  readonly #columns: number;
  #width = 0;

  constructor({ mode }: Output, { stderr }: ProcessEnvironment) {
    this.#stderr = stderr;
    this.#isTerminal = stderr.isTTY === true;
    this.#isShown = !mode.quiet && (!mode.json || this.#isTerminal);
    // A terminal of unknown width reports 0.
    this.#columns = stderr.columns !== undefined && stderr.columns > 0 ? stderr.columns : 80;
  }

  show(text: string): void {
    if (!this.#isShown) return;
    // Blanks erase the rest of a longer line. A wrapped line could not be overwritten.
    this.#stderr.write(
      this.#isTerminal ? `\r${text.slice(0, this.#columns - 1).padEnd(this.#width)}` : `${text}\n`,
    );
    this.#width = text.length;
  }

  /** Goes to a new line after the last one. */
  end(): void {
    if (this.#isTerminal && this.#width > 0) this.#stderr.write('\n');
    this.#width = 0;
  }
}

/** `45.6 MiB/s`. */
export function formatRate(bytes: number, milliseconds: number): string {
  return `${formatBytes(bytes / Math.max(milliseconds / 1000, 0.001))}/s`;
}
