import type { ServerResponse } from 'node:http';
import { Observable, auditTime, fromEvent, interval, merge, startWith } from 'rxjs';
import type { TapHistory } from './history.js';
import type { PageMessage } from './page-messages.js';

/** What all pages are told from. */
export interface FeedSource {
  readonly history: TapHistory;
  /** Emits when there is something new. */
  readonly updates: Observable<unknown>;
  /** True when the tap has come to its end. */
  readonly isOver: () => boolean;
}

/** Milliseconds between two looks at what is new: a page cannot show more. */
const PACE = 50;
/** Steps in one server-sent event. */
const MOST_STEPS = 2_000;
/** Milliseconds after which a comment shows that the connection still holds. */
const SIGN_OF_LIFE = 15_000;

/**
 * Tells a page what happens, as server-sent events, from behind the step that it knows already; to a page that knows none, all that is kept.
 *
 * Completes when the page is gone; unsubscribing ends the response. Nothing is queued for a page that does not read: it goes on from its
 * place in the history once it has room again, and is told when steps behind that place are gone.
 */
export function feedPage(
  response: ServerResponse,
  known: number | undefined,
  source: FeedSource,
): Observable<never> {
  return new Observable((out) => {
    const feed = new Feed(response, known, source);
    const feeding = merge(
      source.updates.pipe(auditTime(PACE), startWith(undefined)),
      fromEvent(response, 'drain'),
    ).subscribe(() => {
      feed.tell();
    });
    feeding.add(
      interval(SIGN_OF_LIFE).subscribe(() => {
        feed.showLife();
      }),
    );
    feeding.add(
      merge(fromEvent(response, 'close'), fromEvent(response, 'error')).subscribe(() =>
        out.complete(),
      ),
    );
    return () => {
      feeding.unsubscribe();
      response.destroy();
    };
  });
}

/** Where a page is. */
class Feed {
  readonly #response: ServerResponse;
  readonly #source: FeedSource;
  #known: number;
  #isNew: boolean;
  #saidOver = false;

  constructor(response: ServerResponse, known: number | undefined, source: FeedSource) {
    this.#response = response;
    this.#source = source;
    this.#isNew = known === undefined || known > source.history.last;
    this.#known = this.#isNew || known === undefined ? 0 : known;
  }

  /** As much as there is and fits; 'drain' brings the rest. */
  tell(): void {
    while (!this.#response.writableNeedDrain) {
      const messages = this.#next();
      if (messages.length === 0) return;
      this.#response.write(`id: ${this.#known}\ndata: ${JSON.stringify(messages)}\n\n`);
    }
  }

  showLife(): void {
    if (!this.#response.writableNeedDrain) this.#response.write(': still here\n\n');
  }

  #next(): readonly PageMessage[] {
    const { history, isOver } = this.#source;
    const messages: PageMessage[] = [];
    if (this.#isNew) messages.push(history.state(true));
    else if (history.hasLostSince(this.#known)) messages.push(history.state(false));
    this.#isNew = false;
    const before = this.#known;
    const { messages: updates, last } = history.since(before, MOST_STEPS);
    this.#known = last;
    if (last > before) messages.push(...updates, history.totalsSince(before, Date.now()));
    if (isOver() && last === history.last && !this.#saidOver) {
      messages.push({ kind: 'over' });
      this.#saidOver = true;
    }
    return messages;
  }
}
