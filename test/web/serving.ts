import { request } from 'node:http';
import { filter, firstValueFrom, ReplaySubject, type Subscription } from 'rxjs';
import {
  type PageEvent,
  serveTapPage,
  type TapPageOptions,
} from '../../src/cli/web/serve-tap-page.js';
import type { PageMessage } from '../../src/cli/web/page-messages.js';
import { FakeTap } from './fake-tap.js';
import { parts } from './page-bundle.js';

/** A served page and the fake tap that it shows. */
export interface Served {
  readonly tap: FakeTap;
  readonly url: string;
  readonly port: number;
  readonly events: ReplaySubject<PageEvent>;
  readonly serving: Subscription;
}

export async function serveFake(options: Partial<TapPageOptions> = {}): Promise<Served> {
  const tap = new FakeTap();
  const events = new ReplaySubject<PageEvent>(100);
  const serving = serveTapPage(tap.changes, { port: 0, parts, ...options }).subscribe(events);
  const { url, port } = await firstValueFrom(
    events.pipe(filter((event) => event.kind === 'listening')),
  );
  return { tap, url, port, events, serving };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** Sends an HTTP request with any path and headers. */
export function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((done, fail) => {
    const asking = request(
      { host: '127.0.0.1', port, path, method, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          done({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
        response.on('error', fail);
      },
    );
    asking.on('error', fail).end();
  });
}

/** An event stream that a test reads for as long as it likes. */
export class EventStream {
  readonly messages: PageMessage[] = [];
  lastId = '';
  #text = '';
  #wake: (() => void) | undefined;
  #hasEnded = false;
  readonly status: Promise<number>;
  readonly #asking: ReturnType<typeof request>;

  constructor(url: string, lastId?: string) {
    const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
    let known: (status: number) => void;
    this.status = new Promise((resolve) => (known = resolve));
    this.#asking = request(new URL('events', url), { agent: false, headers }, (response) => {
      known(response.statusCode ?? 0);
      response.setEncoding('utf8').on('data', (text: string) => this.#read(text));
      response.on('close', () => this.#end());
      response.on('error', () => this.#end());
    });
    this.#asking.on('error', () => this.#end());
    this.#asking.end();
  }

  /** Resolves when the messages satisfy a predicate. Rejects when the stream has ended. */
  async until(
    isThere: (messages: readonly PageMessage[]) => boolean,
  ): Promise<readonly PageMessage[]> {
    while (!isThere(this.messages)) {
      if (this.#hasEnded)
        throw new Error(`The event stream has ended after ${this.messages.length} messages.`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.messages;
  }

  /** Resolves when the server has ended the stream. */
  async ended(): Promise<void> {
    while (!this.#hasEnded) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  leave(): void {
    this.#asking.destroy();
  }

  #read(text: string): void {
    const parts = (this.#text + text).split('\n\n');
    this.#text = parts.pop() ?? '';
    for (const part of parts) {
      this.lastId = /^id: (.*)$/m.exec(part)?.[1] ?? this.lastId;
      const data = /^data: (.*)$/m.exec(part)?.[1];
      if (data !== undefined) this.messages.push(...(JSON.parse(data) as PageMessage[]));
    }
    this.#wake?.();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }
}

/** The number of events among messages. */
export function eventCount(messages: readonly PageMessage[]): number {
  return messages.filter(({ kind }) => kind === 'event').length;
}
