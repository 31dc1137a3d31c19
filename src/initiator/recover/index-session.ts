import {
  EMPTY,
  Observable,
  Subject,
  Subscription,
  catchError,
  concat,
  concatMap,
  defer,
  filter,
  finalize,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  takeWhile,
  tap,
  throwError,
  timeout,
  type OperatorFunction,
} from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import type { Stream } from '../../connection/stream.js';
import { request, type Reply } from '../../exchange/request.js';
import { describePeer } from '../../transport/channel.js';
import { parseDles } from '../../wire/dle/dle-parse.js';
import type { Dle } from '../../wire/dle/dle.js';
import { Features } from '../../wire/features.js';
import { quote, unquote } from '../../wire/quote.js';
import { optionsFor, type CallOptions } from '../call-options.js';
import { onConnection } from '../on-connection.js';
import { badReply, serviceFailed } from '../reply-errors.js';
import {
  parseDumpLine,
  parseEntryLine,
  type IndexedDump,
  type IndexedEntry,
} from './index-entries.js';
import {
  endedEarly,
  nicely,
  parseAnswer,
  refusedCommand,
  silentFor,
  type AnswerLine,
} from './index-answers.js';
import { withDialogue, type LineDialogue } from './line-dialogue.js';

/** Options of {@link index}. */
export interface IndexOptions extends CallOptions {
  /** The configuration on the server, such as `daily`. */
  readonly config: string;
  /** Milliseconds for which the server may be silent while it sorts an index. Default 300,000. */
  readonly silence?: number;
}

/** A disk of a host, as the server's disklist names them. */
export interface IndexedDisk {
  readonly host: string;
  readonly disk: string;
}

/** A directory of a disk, as it was at a date. */
export interface IndexedPlace extends IndexedDisk {
  /** `YYYYMMDDhhmmss` or `YYYYMMDD`. */
  readonly date: string;
  /** From the root of the disk, as {@link IndexedEntry.escaped}. Default `/`. */
  readonly directory?: string;
}

/**
 * Looks into the index of a server: which hosts, disks and dumps there are, and what is in them.
 *
 *     source  -C--------------------|      C: the Connection
 *     work    ----h--h--d--|               asks for hosts, disks, dumps, entries
 *     out     ----h--h--d----|             completes after QUIT
 *
 * Errors with `SERVICE_FAILED` when the server refuses a configuration, host, disk or directory,
 * with `BAD_REPLY`, `DATA_TIMEOUT`, `INCOMPLETE_DUMP` when it ends early, and as {@link request}
 * does. Unsubscribing ends the connection. Source: PROTOCOL.md, "amindexd".
 *
 * @example
 * ```ts
 * import { bsdtcp, connect, index } from 'rx-amanda';
 *
 * connect(bsdtcp({ host: 'server.example.com' }))
 *   .pipe(index({ config: 'daily' }, (session) => session.hosts()))
 *   .subscribe(console.log);
 * ```
 */
export function index<T>(
  { config, silence = 300_000, ...call }: IndexOptions,
  work: (session: IndexSession) => Observable<T>,
): OperatorFunction<Connection, T> {
  const { features = Features.amanda351 } = call.options ?? {};
  return onConnection((connection) => {
    const service = `The index server on ${describePeer(connection.peer)}`;
    return of(connection).pipe(
      request(
        {
          service: 'amindexd',
          options: { ...optionsFor(call), auth: connection.peer.driver },
        },
        call,
      ),
      filter(({ kind }) => kind === 'final'),
      mergeMap((reply) =>
        withDialogue(streamOf(reply), (dialogue) => {
          const session = new IndexSession(dialogue, service, silence);
          return concat(session.begin(features, config), work(session), session.quit()).pipe(
            finalize(() => {
              session.end();
            }),
          );
        }),
      ),
    );
  });
}

/** The conversation with an index server. Questions are asked one after another. */
export class IndexSession {
  readonly #dialogue: LineDialogue;
  readonly #service: string;
  readonly #silence: number;
  readonly #turns = new Subject<Observable<never>>();
  readonly #subscription: Subscription;
  /** What the server was last told: host, disk and date. */
  readonly #chosen = new Map<string, string>();

  /** @internal Sessions come from {@link index}. */
  constructor(dialogue: LineDialogue, service: string, silence: number) {
    this.#dialogue = dialogue;
    this.#service = service;
    this.#silence = silence;
    this.#subscription = this.#turns.pipe(concatMap((turn) => turn)).subscribe();
  }

  /** The hosts of the configuration. */
  hosts(): Observable<string> {
    return this.#inTurn(() => this.#list('LISTHOST').pipe(map((line) => line.trim())));
  }

  /** The disks of a host. */
  disks(host: string): Observable<string> {
    return this.#inTurn(() =>
      concat(
        this.#choose('HOST', host),
        this.#list('LISTDISK').pipe(map((line) => unquote(line.trim()))),
      ),
    );
  }

  /** The dumps of a disk that can be restored, the newest first. */
  dumps({ host, disk }: IndexedDisk): Observable<IndexedDump> {
    return this.#inTurn(() =>
      concat(
        this.#choose('HOST', host),
        this.#choose('DISK', disk),
        this.#list('DHST').pipe(map(parseDumpLine)),
      ),
    );
  }

  /**
   * What a directory had at a date: the entries of the last dump until then, and of the dumps that
   * it builds on. The full dump comes first. With `recursive`, everything below it.
   */
  entries(
    { host, disk, date, directory = '/' }: IndexedPlace,
    { recursive = false }: { readonly recursive?: boolean } = {},
  ): Observable<IndexedEntry> {
    const path = directory.replace(/(?<=.)\/+$/, '');
    return this.#inTurn(() => {
      const known = new Map<string, IndexedDump>();
      return concat(
        this.#choose('DATE', nicely(date)),
        this.#choose('HOST', host),
        this.#choose('DISK', disk),
        this.#list(`${recursive ? 'ORLD' : 'OLSD'} ${quote(path)}`).pipe(
          map((line) => parseEntryLine(line, known)),
        ),
      );
    });
  }

  /** The entry of the disk list; undefined when the server does not give it. */
  dle({ host, disk }: IndexedDisk): Observable<Dle | undefined> {
    return this.#inTurn(() =>
      concat(
        this.#choose('HOST', host),
        this.#choose('DISK', disk),
        this.#command('DLE').pipe(
          filter(({ code }) => code === 200),
          map(({ text }) => (text.trim() === 'NODLE' ? undefined : parseDles(unquote(text))[0])),
        ),
      ),
    );
  }

  /** @internal Waits for the greeting, and chooses the configuration. */
  begin(features: Features, config: string): Observable<never> {
    return concat(
      this.#answer().pipe(ignoreElements()),
      this.#command(`FEATURES ${features.toString()}`).pipe(ignoreElements()),
      this.#choose('SCNF', config),
    );
  }

  /** @internal */
  quit(): Observable<never> {
    return this.#inTurn(() => this.#command('QUIT').pipe(ignoreElements()));
  }

  /** @internal */
  end(): void {
    this.#subscription.unsubscribe();
  }

  /**
   * Asks when the questions before it are answered. A question goes on to the last line of its
   * answer, because the next lines answer the next question.
   */
  #inTurn<T>(question: () => Observable<T>): Observable<T> {
    return new Observable((out) => {
      this.#turns.next(
        defer(() => (out.closed ? EMPTY : question())).pipe(
          tap(out),
          ignoreElements(),
          catchError(() => EMPTY),
        ),
      );
    });
  }

  /** Tells the server a choice, unless it is the present one. A choice undoes those below it. */
  #choose(what: 'SCNF' | 'HOST' | 'DISK' | 'DATE', value: string): Observable<never> {
    return defer(() => {
      if (this.#chosen.get(what) === value) return EMPTY;
      if (what === 'HOST') this.#chosen.delete('DISK');
      this.#chosen.delete(what);
      return this.#command(`${what} ${quote(value)}`).pipe(
        ignoreElements(),
        tap({
          complete: () => {
            this.#chosen.set(what, value);
          },
        }),
      );
    });
  }

  /** The lines of a list. */
  #list(command: string): Observable<string> {
    return this.#command(command).pipe(
      filter(({ code }) => code === 201),
      map(({ text }) => text),
    );
  }

  #command(command: string): Observable<AnswerLine> {
    const say = defer(() => {
      this.#dialogue.say(command);
      return EMPTY;
    });
    // In this order: the answer may come while the command is sent.
    return merge(this.#answer(command), say);
  }

  /** The lines of one answer. Errors with `SERVICE_FAILED` after the last one of a refusal. */
  #answer(command?: string): Observable<AnswerLine> {
    const refusals: string[] = [];
    const early = throwError(() => endedEarly(this.#service));
    const late = throwError(() => silentFor(this.#service, this.#silence));
    return concat(this.#dialogue.lines, early).pipe(
      timeout({ each: this.#silence, with: () => late }),
      map((line) => parseAnswer(line, this.#service)),
      takeWhile(({ isLast }) => !isLast, true),
      filter(({ code, text, isLast }) => {
        if (code >= 500) refusals.push(text.trim());
        if (isLast && refusals.length > 0) throw refusedCommand(this.#service, command, refusals);
        return code < 500;
      }),
    );
  }
}

function streamOf(reply: Reply): Stream {
  if (reply.errors.length > 0) throw serviceFailed('amindexd', reply);
  const { MESG, ...others } = reply.streams;
  if (MESG === undefined) throw badReply('amindexd', 'it announces no MESG stream', reply);
  for (const stream of Object.values(others)) stream.discard();
  return MESG;
}
