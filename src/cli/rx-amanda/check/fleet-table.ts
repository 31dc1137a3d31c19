import { EMPTY, concat, defer, ignoreElements, of, tap, type Observable } from 'rxjs';
import { sweep } from '../../../initiator/sweep.js';
import { isAmandaError } from '../../../wire/errors.js';
import { printable } from '../../../wire/text.js';
import { wholeNumber } from '../../terminal/arguments.js';
import { exitCodeOf, exitCodes } from '../../terminal/exit.js';
import { count, formatTime } from '../../terminal/units.js';
import { describeError, sentenceOf, type Output } from '../output.js';

/** A row of the table: something that a host said, or what became of it. */
export interface FleetRow {
  /** A problem makes the exit code 1. */
  readonly isProblem: boolean;
  /** The cells after the host's. Without them only `--json` has the row. */
  readonly cells?: readonly string[];
  /** The row for a program. The host is added. */
  readonly document: object;
}

/** Hosts that are asked at once. */
export const ASKED_AT_ONCE = 128;

/** What became of the hosts. */
class Tally {
  code: number = exitCodes.success;
  readonly #ends = new Map<Ending, number>();
  readonly #started = performance.now();

  end(ending: Ending, code: number): void {
    this.#ends.set(ending, (this.#ends.get(ending) ?? 0) + 1);
    this.code = Math.max(this.code, code);
  }

  get milliseconds(): number {
    return Math.round(performance.now() - this.#started);
  }

  document(): object {
    const endings = Object.fromEntries(
      Object.entries(names).map(([ending, name]) => [
        name.key,
        this.#ends.get(ending as Ending) ?? 0,
      ]),
    );
    return { kind: 'summary', ...endings, milliseconds: this.milliseconds, exitCode: this.code };
  }

  line(): string {
    const all = [...this.#ends.values()].reduce((sum, number) => sum + number, 0);
    const parts = (Object.keys(names) as Ending[]).flatMap((ending) => {
      const number = this.#ends.get(ending) ?? 0;
      return number === 0 ? [] : [`${number} ${names[ending].text}`];
    });
    return `${count(all, 'host')} in ${formatTime(this.milliseconds)}: ${parts.join(', ')}.`;
  }
}

type Ending = 'fine' | 'problems' | 'refused' | 'silent' | 'failed';

const names: Readonly<Record<Ending, { readonly key: string; readonly text: string }>> = {
  fine: { key: 'fine', text: 'fine' },
  problems: { key: 'withProblems', text: 'with problems' },
  refused: { key: 'refused', text: 'refused' },
  silent: { key: 'noAnswer', text: 'without an answer' },
  failed: { key: 'failed', text: 'failed' },
};

const labels: Readonly<Record<'refused' | 'silent' | 'failed', string>> = {
  refused: 'REFUSED',
  silent: 'NO ANSWER',
  failed: 'FAILED',
};

/** The widest column. A longer name pushes its own line alone. */
const WIDEST = 40;

/** The width of a column. */
export function widthOf(texts: Iterable<string>): number {
  let width = 0;
  for (const text of texts) width = Math.max(width, Math.min(WIDEST, printable(text).length));
  return width;
}

/** A line of a table. */
export function lineOf(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => (column < cells.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell))
    .join('  ')
    .trimEnd();
}

/** How a table is printed. */
export interface FleetTable<Host> {
  /** The widths of the columns after the host's, but the last one. */
  readonly widths: readonly number[];
  readonly parallel: string | undefined;
  /** The cells of a host that failed, from its label and its sentence. */
  failed(label: string, sentence: string, host: Host): readonly string[];
  /** The last line or lines, for a person. */
  summary(): readonly string[];
}

/**
 * Asks all hosts, many at once, and prints each row when it comes: a line of one table, or a JSON
 * object. A host that fails is a row. Emits the exit code at the end.
 */
export function printTable<Host extends { readonly place: string }>(
  hosts: readonly Host[],
  output: Output,
  table: FleetTable<Host>,
  work: (host: Host) => Observable<FleetRow>,
): Observable<number> {
  const atOnce = wholeNumber('--parallel', table.parallel, 1, 10_000) ?? ASKED_AT_ONCE;
  if (hosts.length === 0) return EMPTY;
  const widths = [widthOf(hosts.map(({ place }) => place)), ...table.widths];
  const print = ({ place }: Host, cells: readonly string[] | undefined, document: object): void => {
    const safe = cells?.map((cell) => printable(cell, Infinity));
    output.result(
      { host: place, ...document },
      safe === undefined ? [] : [lineOf([printable(place), ...safe], widths)],
    );
  };
  return defer(() => {
    const tally = new Tally();
    const troubled = new Set<Host>();
    return concat(
      sweep(hosts, work, { atOnce }).pipe(
        tap((event) => {
          if (event.kind === 'value') {
            if (event.value.isProblem) troubled.add(event.host);
            print(event.host, event.value.cells, event.value.document);
          } else if (event.kind === 'done') {
            const isFine = !troubled.has(event.host);
            tally.end(isFine ? 'fine' : 'problems', isFine ? exitCodes.success : exitCodes.failed);
          } else {
            const { error, host, milliseconds } = event;
            const ending = endingOf(error);
            tally.end(ending, exitCodeOf(error));
            const cells = table.failed(labels[ending], sentenceOf(error), host);
            print(host, cells, { kind: 'failed', error: describeError(error), milliseconds });
            if (output.mode.debug) output.stacks(error);
          }
        }),
        ignoreElements(),
      ),
      defer(() => {
        const isShort = output.mode.quiet && tally.code === exitCodes.success;
        output.result(tally.document(), isShort ? [] : [...table.summary(), tally.line()]);
        return of(tally.code);
      }),
    );
  });
}

function endingOf(error: unknown): keyof typeof labels {
  if (isAmandaError(error, 'REFUSED')) return 'refused';
  return exitCodeOf(error) === exitCodes.noConnection ? 'silent' : 'failed';
}
