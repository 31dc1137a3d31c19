import { Observable, concatMap, type OperatorFunction } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import { request, type Reply } from '../exchange/request.js';
import { formatDle } from '../wire/dle/dle-format.js';
import type { Dle } from '../wire/dle/dle.js';
import { checkOptions } from '../wire/arguments.js';
import { quotedWords, unquote } from '../wire/quote.js';
import { printable } from '../wire/text.js';
import { optionsFor, type CallOptions } from './call-options.js';
import { badReply, serviceFailed } from './reply-errors.js';

/** Options of {@link sendsize}. */
export interface SendsizeOptions extends CallOptions {
  /** What to estimate, each with its `levels` (default 0) and `estimate` methods. */
  readonly dles: readonly Dle[];
}

/** A target's estimate of one disk at one level. */
export type Estimate = EstimateAnswer & {
  readonly disk: string;
  /** 0 is a full dump. */
  readonly level: number;
};

/** The answer for one disk at one level: a size in KiB, a failure, or none. */
export type EstimateAnswer =
  /** Units of 1,024 bytes, 1 or more. */
  | { readonly kind: 'size'; readonly kilobytes: number }
  /** There is no estimate, or an earlier one is withdrawn. */
  | { readonly kind: 'none' }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string };

/**
 * Asks a target for the sizes of dumps, and emits each estimate when it comes.
 *
 *     source  -C-------------|
 *     reply   ----P----P-R          P: a partial reply  R: the final one
 *     out     ----a----b-(c|)       a: the first disk, and so on; each estimate once
 *
 * A failed estimate is a value; a disk without a line has `none` at the end. Source: PROTOCOL.md,
 * "Services". Errors as {@link request} does, and with:
 *
 * - `SERVICE_FAILED`: the whole service failed.
 * - `BAD_REPLY`: a line is no estimate, or was not requested.
 *
 * Throws `BAD_DLE` for a DLE that cannot be sent.
 *
 * @example
 * ```ts
 * import { bsdtcp, connect, sendsize } from 'rx-amanda';
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(sendsize({ dles: [{ program: 'GNUTAR', disk: '/home' }] }))
 *   .subscribe((answer) => {
 *     if (answer.kind === 'size') console.log(`${answer.disk}: ${answer.kilobytes} KiB`);
 *   });
 * ```
 */
export function sendsize(options: SendsizeOptions): OperatorFunction<Connection, Estimate> {
  checkOptions('sendsize', options, { dles: 'list' });
  const { dles, ...call } = options;
  const asked = dles.map((dle) => ({ ...dle, levels: dle.levels ?? [{ level: 0 }] }));
  const body = asked.map(formatDle).join('');
  return (connections) =>
    new Observable<Estimate>((out) => {
      const collector = new EstimateCollector(asked);
      return connections
        .pipe(
          request({ service: 'sendsize', options: optionsFor(call), body }, call),
          concatMap((reply) => collector.take(reply)),
        )
        .subscribe(out);
    });
}

/** Collects estimates. Replies are cumulative: each repeats the previous ones. */
class EstimateCollector {
  readonly #asked: ReadonlySet<string>;
  readonly #missing: Map<string, { readonly disk: string; readonly level: number }>;
  readonly #seen = new Set<string>();

  constructor(dles: readonly (Dle & Required<Pick<Dle, 'levels'>>)[]) {
    const pairs = dles.flatMap(({ disk, levels }) => levels.map(({ level }) => ({ disk, level })));
    this.#missing = new Map(pairs.map((pair) => [keyOf(pair), pair]));
    this.#asked = new Set(this.#missing.keys());
  }

  *take(reply: Reply): Generator<Estimate> {
    for (const line of this.#newLines(reply)) {
      const estimate = parseEstimate(line);
      if (estimate === undefined)
        throw badReply('sendsize', `a line in it is no estimate: "${printable(line)}"`, reply);
      if (!this.#asked.has(keyOf(estimate)))
        throw badReply(
          'sendsize',
          `it has an estimate that was not requested: "${printable(line)}"`,
          reply,
        );
      if (estimate.kind !== 'warning') this.#missing.delete(keyOf(estimate));
      yield estimate;
    }
    if (reply.kind === 'partial') return;
    if (reply.errors.length > 0) throw serviceFailed('sendsize', reply);
    for (const { disk, level } of this.#missing.values()) yield { kind: 'none', disk, level };
  }

  *#newLines({ kind, lines, text }: Reply): Generator<string> {
    // A partial reply is what the service has written so far, so its last line may be incomplete.
    const whole = kind === 'partial' && !text.endsWith('\n') ? lines.slice(0, -1) : lines;
    for (const line of whole) {
      if (line === '' || this.#seen.has(line)) continue;
      this.#seen.add(line);
      yield line;
    }
  }
}

function keyOf({ disk, level }: { readonly disk: string; readonly level: number }): string {
  return `${level} ${disk}`;
}

function parseEstimate(line: string): Estimate | undefined {
  const [name] = quotedWords(line);
  if (name === undefined || !line.startsWith(`${name} `)) return undefined;
  const [, digits = '', word = '', rest = ''] =
    /^ +(\d{1,3}) +(SIZE|ERROR|WARNING) +(.*)$/.exec(line.slice(name.length)) ?? [];
  if (word === '') return undefined;
  const about = { disk: unquote(name), level: Number(digits) };
  if (word === 'ERROR') return { kind: 'error', text: unquoteText(rest), ...about };
  if (word === 'WARNING') return { kind: 'warning', text: unquoteText(rest), ...about };
  if (!/^-?\d{1,15} *$/.test(rest)) return undefined;
  const kilobytes = Number(rest);
  return kilobytes > 0 ? { kind: 'size', kilobytes, ...about } : { kind: 'none', ...about };
}

/** Old targets do not quote their texts. */
function unquoteText(text: string): string {
  return text.startsWith('"') ? unquote(text) : text;
}
