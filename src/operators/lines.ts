import { Observable, type OperatorFunction } from 'rxjs';
import { checkOptions } from '../wire/arguments.js';
import { AmandaError } from '../wire/errors.js';

/** Options of {@link lines}. */
export interface LinesOptions {
  /** Characters; a longer line is an error. Default 1 MiB. */
  readonly maxLength?: number;
}

/**
 * Cuts a byte stream into lines of text.
 *
 *     bytes  -a---b---c-|      a: "one\ntw"   b: "o\n"   c: "end"
 *     lines  -1---2-----(3|)   1: "one"  2: "two"  3: "end"
 *
 * A line ends at a newline, which is not part of it; a last line without one counts. The text is
 * UTF-8, whatever the cuts; a byte order mark is a character of it. Errors with `TRUNCATED` when a
 * line grows over `maxLength`.
 *
 * @example
 * ```ts
 * import { bsdtcp, connect, lines, request } from 'rx-amanda';
 * import { mergeMap } from 'rxjs';
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(
 *     request('tables'),
 *     mergeMap(({ streams }) => streams['DATA']?.pipe(lines({ maxLength: 1_000 })) ?? []),
 *   )
 *   .subscribe((line) => console.log(line));
 * ```
 */
export function lines(options: LinesOptions = {}): OperatorFunction<Uint8Array, string> {
  checkOptions('lines', options, { maxLength: 'number?' });
  const { maxLength = 1_048_576 } = options;
  return (chunks) =>
    new Observable((out) => {
      // Node 24 would drop a U+FEFF at the start of any piece.
      const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
      const parts: string[] = [];
      let length = 0;
      const take = (text: string): void => {
        const [first = '', ...others] = text.split('\n');
        parts.push(first);
        length += first.length;
        for (const part of others) {
          if (length > maxLength) break;
          out.next(parts.join(''));
          parts.length = 0;
          parts.push(part);
          length = part.length;
        }
        if (length > maxLength)
          out.error(
            new AmandaError(
              'TRUNCATED',
              `A line of text is longer than the ${maxLength} characters allowed.`,
            ),
          );
      };
      return chunks.subscribe({
        next: (chunk) => {
          take(decoder.decode(chunk, { stream: true }));
        },
        error: (error: unknown) => {
          out.error(error);
        },
        complete: () => {
          take(decoder.decode());
          if (length > 0) out.next(parts.join(''));
          out.complete();
        },
      });
    });
}
