import { printable } from '../wire/text.js';
import type { Change } from './change.js';
import { LANE_SEPARATOR, type Direction, type Happening, type Lane, type LaneEvent } from './model.js';

/** The two ends of a conversation. */
export type Side = 'initiator' | 'target';

/** What happens on a lane, without the time. */
export type Event = Happening & Pick<LaneEvent, 'label' | 'direction'>;

export interface LanesOptions {
  readonly name: string;
  readonly viewpoint: Side;
  readonly under: string | undefined;
  readonly most: number;
  readonly change: (change: Change) => void;
}

/** The lanes of one connection: its own one, and under it no more than so many, each with a name of its own. */
export class ConversationLanes {
  /** The name of the connection's own lane. */
  readonly connection: string;
  readonly #options: LanesOptions;
  readonly #names = new Set<string>();
  #hasBegun = false;

  constructor(options: LanesOptions) {
    this.#options = options;
    this.connection = printable(options.name, LONGEST_NAME);
  }

  /** The connection's own lane begins, unless it has. */
  begin(at: number): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#options.change({
      kind: 'lane',
      at,
      lane: { name: this.connection, kind: 'connection', direction: undefined, handle: undefined, under: this.#options.under },
    });
  }

  /** Begins a lane under the connection and returns its name, which is undefined when there are too many. */
  open(at: number, name: string, rest: Pick<Lane, 'kind' | 'direction' | 'handle'>): string | undefined {
    if (this.#names.size >= this.#options.most) return undefined;
    const unique = this.#unique(`${this.connection}${LANE_SEPARATOR}${printable(name, LONGEST_NAME)}`);
    this.#names.add(unique);
    this.#options.change({ kind: 'lane', at, lane: { ...rest, name: unique, under: this.connection } });
    return unique;
  }

  event(at: number, lane: string, event: Event): void {
    this.#options.change({ kind: 'event', lane, event: { ...event, at } });
  }

  emit(change: Change): void {
    this.#options.change(change);
  }

  directionOf(sender: Side): Direction {
    return sender === this.#options.viewpoint ? 'out' : 'in';
  }

  #unique(name: string): string {
    let unique = name;
    for (let number = 2; this.#names.has(unique); number += 1) unique = `${name} ${number}`;
    return unique;
  }
}

const LONGEST_NAME = 64;
