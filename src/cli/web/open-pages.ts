import type { ServerResponse } from 'node:http';
import { Subscription, type Observable } from 'rxjs';
import { refuse } from './page-requests.js';

/** The open pages, up to a limit. */
export class OpenPages {
  readonly #most: number;
  readonly #onCount: (count: number) => void;
  readonly #all = new Subscription();
  #count = 0;

  constructor(most: number, onCount: (count: number) => void) {
    this.#most = most;
    this.#onCount = onCount;
  }

  /** Starts the event stream of a page, or refuses it. */
  admit(response: ServerResponse, feed: Observable<never>): void {
    if (this.#count >= this.#most) {
      refuse(response, 503, `${this.#most} pages are open already; close one of them.`);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    // A page reconnects after this many milliseconds.
    response.write('retry: 1000\n\n');
    this.#change(1);
    const page = feed.subscribe();
    this.#all.add(page);
    page.add(() => this.#change(-1));
  }

  /** Ends all pages. */
  close(): void {
    this.#all.unsubscribe();
  }

  #change(by: 1 | -1): void {
    this.#count += by;
    this.#onCount(this.#count);
  }
}
