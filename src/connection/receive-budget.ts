import { Observable, Subject, defer, interval, map, startWith, type Subscription } from 'rxjs';
import type { Credit } from './receive-buffer.js';

/** What a connection keeps for its readers at one moment. */
export interface Flow {
  /** Cost of what has arrived and was not consumed yet, in bytes. */
  readonly held: number;
  /** The receive budget, in bytes. */
  readonly limit: number;
  /** Whether reading from the channel is stopped because the budget is used up. */
  readonly paused: boolean;
  /** The handles that hold something, the largest first. */
  readonly holders: readonly Holder[];
  /** Set while one handle's unread bytes keep others from getting theirs. */
  readonly stall: Stall | undefined;
}

/** A handle with unread bytes. */
export interface Holder {
  /** Its number. */
  readonly handle: number;
  /** The bytes that it holds, as the budget counts them. */
  readonly held: number;
}

/** Handles that block others. */
export interface Stall {
  /** The handles whose bytes are not consumed. */
  readonly blocking: readonly number[];
  /** The handles whose readers wait. */
  readonly waiting: readonly number[];
}

/** What the budget asks of the connection it belongs to. */
export interface FlowOwner {
  /** The budget is used up now, or can be used again. */
  changed(): void;
  holders(): readonly Holder[];
  waiting(): readonly number[];
  /**
   * Called once in a pause, after `stallAfter` without progress.
   */
  stalled(stall: Stall): void;
}

/**
 * The receive budget of a connection.
 *
 *     held     ──╱╲──╱▔▔▔▔╲──    over the limit: pause; at half of it: resume
 *     channel  ━━━━━━━┄┄┄┄┄━━
 *
 * TCPM has no window per stream. The only way to slow a sender is to stop reading from the channel,
 * which stops all its streams. Source: ARCHITECTURE, "What must hold" 2 and 3.
 */
export class ReceiveBudget implements Credit {
  readonly #limit: number;
  readonly #stallAfter: number;
  readonly #owner: FlowOwner;
  readonly #changes = new Subject<void>();
  #held = 0;
  #isUsedUp = false;
  #consumed = 0;
  #stall: Stall | undefined;
  #watching: Subscription | undefined;

  /** `stallAfter`: milliseconds. */
  constructor(limit: number, stallAfter: number, owner: FlowOwner) {
    this.#limit = limit;
    this.#stallAfter = stallAfter;
    this.#owner = owner;
  }

  /** Whether reading must stop. */
  get isUsedUp(): boolean {
    return this.#isUsedUp;
  }

  /** The present state, and again at each pause, resume and stall. */
  get flow(): Observable<Flow> {
    return defer(() =>
      this.#changes.pipe(
        startWith(undefined),
        map(() => this.#snapshot()),
      ),
    );
  }

  get room(): number {
    return this.#limit - this.#held;
  }

  hold(bytes: number): void {
    this.#held += bytes;
    if (this.#isUsedUp || this.#held <= this.#limit) return;
    this.#isUsedUp = true;
    this.#owner.changed();
    this.#watching = this.#watch();
    this.#changes.next();
  }

  release(bytes: number): void {
    this.#held -= bytes;
    this.#consumed += 1;
    if (!this.#isUsedUp || this.#held * 2 > this.#limit) return;
    this.#isUsedUp = false;
    this.#watching?.unsubscribe();
    this.#stall = undefined;
    this.#owner.changed();
    this.#changes.next();
  }

  end(): void {
    this.#watching?.unsubscribe();
    this.#changes.complete();
  }

  /**
   * Names a stall once: paused for `stallAfter`, nothing consumed meanwhile, and another reader
   * waits.
   */
  #watch(): Subscription {
    let consumed = this.#consumed;
    return interval(this.#stallAfter).subscribe(() => {
      const isIdle = consumed === this.#consumed;
      consumed = this.#consumed;
      if (isIdle && this.#stall === undefined) this.#nameStall();
    });
  }

  #nameStall(): void {
    const waiting = this.#owner.waiting();
    if (waiting.length === 0) return;
    const stall = { blocking: this.#owner.holders().map(({ handle }) => handle), waiting };
    this.#stall = stall;
    this.#changes.next();
    this.#owner.stalled(stall);
  }

  #snapshot(): Flow {
    return {
      held: this.#held,
      limit: this.#limit,
      paused: this.#isUsedUp,
      holders: this.#owner.holders(),
      stall: this.#stall,
    };
  }
}

/** The handles that hold something, the largest first. */
export function holdersOf(streams: Iterable<Holder>): readonly Holder[] {
  return [...streams]
    .filter(({ held }) => held > 0)
    .map(({ handle, held }) => ({ handle, held }))
    .sort((a, b) => b.held - a.held);
}
