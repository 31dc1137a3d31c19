import type { ServerResponse } from 'node:http';
import { Observable, auditTime, fromEvent, interval, merge, startWith } from 'rxjs';
import type { TapHistory } from './history.js';
import type { PageMessage } from './page-messages.js';

/** The source of the feeds of all pages. */
export interface FeedSource {
  readonly history: TapHistory;
  /** Emits when there are new steps. */
  readonly updates: Observable<unknown>;
  /** Whether the tap has ended. */
  readonly isOver: () => boolean;
}

/** Milliseconds between two updates of a page. */
const PACE = 50;
/** The most steps in one server-sent event. */
const MOST_STEPS = 2_000;
/** Milliseconds between comments that keep the connection alive. */
const SIGN_OF_LIFE = 15_000;

/**
 * Sends a page the steps after the one that it knows, as server-sent events. A new page gets
 * everything that is kept.
 *
 * Completes when the page is gone; unsubscribing ends the response. Nothing is queued for a slow
 * page. When it has room again, it resumes at its place in the history. It learns when steps after
 * that place are gone.
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
      feed.send();
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

/** The place of a page in the history. */
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

  /** Sends as much as there is room for; 'drain' sends the rest. */
  send(): void {
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
