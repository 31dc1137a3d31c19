import type { Diagram } from '../../diagram/model.js';
import type { TapChange } from '../../tap/tap-change.js';
import type { TimeRange } from './conversation-diagram.js';
import { ConversationHistory, type Numbered } from './conversation-history.js';
import type { PageMessage } from './page-messages.js';

/** How much of a tap is kept for late and slow pages. */
export interface HistoryLimits {
  /**
   * Events, spans and lanes of all connections; the longest conversation loses its oldest first.
   * Default 50,000.
   */
  readonly steps?: number | undefined;
  /** Connections; the oldest is forgotten first, and closed ones before open ones. Default 200. */
  readonly connections?: number | undefined;
  /** Lanes of one connection; events on further lanes are only counted. Default 200. */
  readonly lanes?: number | undefined;
}

/**
 * The most recent steps of a tap. Each has a number, so that a page can resume after the last one
 * that it knows.
 */
export class TapHistory {
  readonly #limits: Required<{ readonly [Name in keyof HistoryLimits]: number }>;
  readonly #conversations = new Map<number, ConversationHistory>();
  /** Messages about forgotten connections. */
  #forgotten: readonly Numbered[] = [];
  #steps = 0;
  #next = 1;

  constructor({ steps = 50_000, connections = 200, lanes = 200 }: HistoryLimits = {}) {
    this.#limits = { steps, connections, lanes };
  }

  /** The number of the last step. */
  get last(): number {
    return this.#next - 1;
  }

  take(change: TapChange): void {
    if (change.kind === 'opened') this.#open(change);
    const conversation = this.#conversations.get(change.connection);
    if (conversation === undefined) return;
    const before = conversation.length;
    conversation.take(change, this.#next++);
    this.#steps += conversation.length - before;
    if (this.#steps > this.#limits.steps) this.#drop();
  }

  /** Whether steps after that number were dropped. */
  hasLostSince(number: number): boolean {
    for (const { lost } of this.#conversations.values()) if (lost > number) return true;
    return false;
  }

  /** The messages after a number, `most` at most, and the number of the last one. */
  since(
    number: number,
    most: number,
  ): { readonly messages: readonly PageMessage[]; readonly last: number } {
    const steps: Numbered[] = this.#forgotten.filter((one) => one.number > number);
    // One more from each conversation, to notice that there are more.
    for (const conversation of this.#conversations.values())
      for (const step of conversation.since(number, most + 1)) steps.push(step);
    steps.sort((a, b) => a.number - b.number);
    const first = steps.slice(0, most);
    return {
      messages: first.map(({ message }) => message()),
      last: steps.length > most ? (first.at(-1)?.number ?? number) : this.last,
    };
  }

  /** The state of all connections, without events. */
  state(fresh: boolean): PageMessage {
    return {
      kind: 'state',
      fresh,
      connections: [...this.#conversations.values()].map((conversation) => conversation.state()),
    };
  }

  /** The totals of the connections that changed after a number. */
  totalsSince(number: number, now: number): PageMessage {
    const changed = [...this.#conversations.values()].filter(({ last }) => last > number);
    return {
      kind: 'totals',
      now,
      connections: changed.map((conversation) => conversation.totals()),
    };
  }

  /** The diagram of a part of a conversation. Undefined when there is no such conversation. */
  diagram(connection: number, range: TimeRange): Diagram | undefined {
    return this.#conversations.get(connection)?.diagram(range);
  }

  #open(change: TapChange & { readonly kind: 'opened' }): void {
    if (this.#conversations.has(change.connection)) return;
    this.#conversations.set(change.connection, new ConversationHistory(change, this.#limits.lanes));
    if (this.#conversations.size <= this.#limits.connections) return;
    const [oldest] = [...this.#conversations.values()].filter(({ isClosed }) => isClosed);
    const victim = oldest ?? [...this.#conversations.values()][0];
    if (victim === undefined) return;
    this.#conversations.delete(victim.id);
    this.#steps -= victim.length;
    const number = this.#next++;
    this.#forgotten = [
      ...this.#forgotten,
      { number, message: () => ({ kind: 'forgotten', connection: victim.id }) as const },
    ].slice(-this.#limits.connections);
  }

  /** Drops an eighth of the longest conversation, because finding it takes a while. */
  #drop(): void {
    let longest: ConversationHistory | undefined;
    for (const one of this.#conversations.values())
      if (one.length > (longest?.length ?? 0)) longest = one;
    if (longest === undefined) return;
    const before = longest.length;
    longest.drop(Math.ceil(before / 8));
    this.#steps -= before - longest.length;
  }
}
