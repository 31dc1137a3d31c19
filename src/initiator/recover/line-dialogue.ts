import { Observable, Subject, map } from 'rxjs';
import type { Stream } from '../../connection/stream.js';
import { lines } from '../../operators/lines.js';
import { encodeText } from '../../wire/text.js';

/** Both directions of a stream of lines that end in CR LF. */
export interface LineDialogue {
  /**
   * The lines that arrive, without their ends. Hot: a line is for the present subscribers.
   * Completes when the service ends the stream, and errors with what broke it.
   */
  readonly lines: Observable<string>;
  /** Sends one line. */
  say(line: string): void;
}

/** Characters; a path of 4,096 bytes may need four for each byte. */
const LONGEST_LINE = 65_536;

/**
 * Reads the lines of a stream for as long as the work on them takes.
 *
 *     stream  -a--b--c--
 *     work    w-----------(r|)      hears a, b, c; speaks by `say`
 *     out     ------------(r|)
 */
export function withDialogue<T>(
  stream: Stream,
  work: (dialogue: LineDialogue) => Observable<T>,
): Observable<T> {
  return new Observable((out) => {
    const heard = new Subject<string>();
    const say = (line: string): void => {
      stream.next(encodeText(`${line}\r\n`));
    };
    out.add(work({ lines: heard, say }).subscribe(out));
    out.add(
      stream
        .pipe(
          lines({ maxLength: LONGEST_LINE }),
          map((line) => line.replace(/\r$/, '')),
        )
        .subscribe(heard),
    );
  });
}
