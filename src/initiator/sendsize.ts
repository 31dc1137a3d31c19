import { Observable, concatMap, type OperatorFunction } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import { request, type Reply } from '../exchange/request.js';
import { formatDle } from '../wire/dle-format.js';
import type { Dle } from '../wire/dle.js';
import { quotedWords, unquote } from '../wire/quote.js';
import { printable } from '../wire/text.js';
import { optionsFor, type CallOptions } from './options.js';
import { badReply, serviceFailed } from './reply-errors.js';

export interface SendsizeOptions extends CallOptions {
  /** What to estimate; each with the `levels` (default 0) and the `estimate` methods that are wanted. */
  readonly dles: readonly Dle[];
}

/** What a target says about the size of one disk at one level. */
export type Estimate = EstimateAnswer & {
  readonly disk: string;
  /** 0 is a full dump. */
  readonly level: number;
};

export type EstimateAnswer =
  /** Units of 1,024 bytes, 1 or more. */
  | { readonly kind: 'size'; readonly kilobytes: number }
  /** There is no estimate, or one that came before does not hold. */
  | { readonly kind: 'none' }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string };

/**
 * Asks a target how large dumps would be, and emits each estimate as soon as it comes.
 *
 *     source  -C-------------|
 *     reply   ----P----P-R          P: a partial reply  R: the final one
 *     out     ----a----b-(c|)       a: the first disk, and so on; what a later reply repeats does not come again
 *
 * A disk that cannot be estimated is a value; one about which nothing was said has `none` at the end. Errors with
 * `SERVICE_FAILED` when the service failed as a whole, with `BAD_REPLY` for a line that is no estimate or is about something that
 * was not asked for, with `BAD_DLE`, and as {@link request} does. Source: PROTOCOL.md, "Services".
 */
export function sendsize({
  dles,
  ...call
}: SendsizeOptions): OperatorFunction<Connection, Estimate> {
  const asked = dles.map((dle) => ({ ...dle, levels: dle.levels ?? [{ level: 0 }] }));
  const body = asked.map(formatDle).join('');
  return (connections) =>
    new Observable<Estimate>((out) => {
      const gathering = new Gathering(asked);
      return connections
        .pipe(
          request({ service: 'sendsize', options: optionsFor(call), body }, call),
          concatMap((reply) => gathering.take(reply)),
        )
        .subscribe(out);
    });
}

/** What has been said so far. Replies are cumulative: each repeats the ones before it. */
class Gathering {
  readonly #asked: ReadonlySet<string>;
  readonly #missing: Map<string, { readonly disk: string; readonly level: number }>;
  readonly #said = new Set<string>();

  constructor(dles: readonly (Dle & Required<Pick<Dle, 'levels'>>)[]) {
    const pairs = dles.flatMap(({ disk, levels }) => levels.map(({ level }) => ({ disk, level })));
    this.#missing = new Map(pairs.map((pair) => [keyOf(pair), pair]));
    this.#asked = new Set(this.#missing.keys());
  }

  *take(reply: Reply): Generator<Estimate> {
    for (const line of this.#fresh(reply)) {
      const estimate = parseEstimate(line);
      if (estimate === undefined)
        throw badReply('sendsize', `a line in it is no estimate: "${printable(line)}"`, reply);
      if (!this.#asked.has(keyOf(estimate)))
        throw badReply('sendsize', `nobody asked for what it says: "${printable(line)}"`, reply);
      if (estimate.kind !== 'warning') this.#missing.delete(keyOf(estimate));
      yield estimate;
    }
    if (reply.kind === 'partial') return;
    if (reply.errors.length > 0) throw serviceFailed('sendsize', reply);
    for (const { disk, level } of this.#missing.values()) yield { kind: 'none', disk, level };
  }

  *#fresh({ kind, lines, text }: Reply): Generator<string> {
    // A partial reply is what the service has written up to then, so its last line may be in the middle.
    const whole = kind === 'partial' && !text.endsWith('\n') ? lines.slice(0, -1) : lines;
    for (const line of whole) {
      if (line === '' || this.#said.has(line)) continue;
      this.#said.add(line);
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
