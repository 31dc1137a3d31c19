import { printable } from '../wire/text.js';
import type { Change } from './change.js';
import { bytesInWords } from './conversation-texts.js';
import { sizeInWords } from './layout/layout-words.js';
import {
  LANE_SEPARATOR,
  type Direction,
  type Happening,
  type Lane,
  type LaneEvent,
} from './model.js';

/** The two ends of a conversation. */
export type Side = 'initiator' | 'target';

/** What happens on a lane, without the time. */
export type Event = Happening & Pick<LaneEvent, 'label' | 'direction'>;

export interface LanesOptions {
  readonly name: string;
  readonly viewpoint: Side;
  readonly under: string | undefined;
  readonly most: number;
  /** Bytes of each payload that are kept. */
  readonly preview: number;
  /** Whether chunks of one lane at one time are told as one, and those of 10 ms while many come. */
  readonly joins: boolean;
  readonly change: (change: Change) => void;
}

/** Chunks of one lane that have not been told yet; none when `count` is 0. */
interface Joined {
  readonly lane: string;
  at: number;
  until: number;
  /** The front of the first, `previewed` bytes of it; as long as the longest so far. */
  preview: Uint8Array;
  previewed: number;
  bytes: number;
  count: number;
}

/** The lanes of one connection: its own one, and under it no more than so many, each with a name of its own. */
export class ConversationLanes {
  /** The name of the connection's own lane. */
  readonly connection: string;
  readonly #options: LanesOptions;
  readonly #names = new Set<string>();
  #hasBegun = false;
  /**
   * By lane, for good: a Map that is emptied again and again holds on to each of its former tables until the collector looks at all there is, which then
   * is what recording costs.
   */
  readonly #joined = new Map<string, Joined>();
  /**
   * The first `#lanesWaiting` of these have chunks, by the time of the first. Streams take turns within a millisecond, and a change for each turn would cost too much.
   * Nothing is made for the time of the waiting: the collector would take it for something that stays.
   */
  readonly #waiting: Joined[] = [];
  #lanesWaiting = 0;
  #waitingSince = 0;
  #chunksWaiting = 0;
  /** How much later than the first of those that wait a chunk may come to be told with them, in milliseconds. */
  #grain = 0;

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
      lane: {
        name: this.connection,
        kind: 'connection',
        direction: undefined,
        handle: undefined,
        under: this.#options.under,
      },
    });
  }

  /** Begins a lane under the connection and returns its name, which is undefined when there are too many. */
  open(
    at: number,
    name: string,
    rest: Pick<Lane, 'kind' | 'direction' | 'handle'>,
  ): string | undefined {
    if (this.#names.size >= this.#options.most) return undefined;
    const unique = this.#unique(
      `${this.connection}${LANE_SEPARATOR}${printable(name, LONGEST_NAME)}`,
    );
    this.#names.add(unique);
    this.emit({ kind: 'lane', at, lane: { ...rest, name: unique, under: this.connection } });
    return unique;
  }

  event(at: number, lane: string, event: Event): void {
    this.emit({ kind: 'event', lane, event: { ...event, at } });
  }

  /** Some of a stream, of which `payload` is the front at least. */
  chunk(at: number, lane: string, bytes: number, payload: Uint8Array): void {
    if (at < this.#waitingSince || at - this.#waitingSince > this.#grain) this.settle();
    const joined = this.#joinedOf(lane);
    if (this.#lanesWaiting === 0) this.#waitingSince = at;
    if (joined.count === 0) {
      joined.at = at;
      joined.previewed = Math.min(payload.length, this.#options.preview);
      if (joined.previewed > joined.preview.length)
        joined.preview = new Uint8Array(joined.previewed);
      joined.preview.set(payload.subarray(0, joined.previewed));
      joined.bytes = 0;
      this.#waiting[this.#lanesWaiting] = joined;
      this.#lanesWaiting += 1;
    }
    joined.until = at;
    joined.bytes += bytes;
    joined.count += 1;
    this.#chunksWaiting += 1;
    if (!this.#options.joins) this.settle();
  }

  /** Tells what still waits for more to be joined with. */
  settle(): void {
    if (this.#lanesWaiting === 0) return;
    // All are taken before one is told: whoever is told may send more.
    const told = this.#waiting.slice(0, this.#lanesWaiting).map((joined) => this.#take(joined));
    this.#lanesWaiting = 0;
    this.#grain = this.#chunksWaiting > MANY_CHUNKS ? COARSE_GRAIN : 0;
    this.#chunksWaiting = 0;
    for (const change of told) this.#options.change(change);
  }

  emit(change: Change): void {
    this.settle();
    this.#options.change(change);
  }

  /** A copy: a view would keep all the memory behind the payload. */
  previewOf(payload: Uint8Array): Uint8Array | undefined {
    const { preview } = this.#options;
    return preview === 0 ? undefined : payload.slice(0, preview);
  }

  #joinedOf(lane: string): Joined {
    const known = this.#joined.get(lane);
    if (known !== undefined) return known;
    const joined = {
      lane,
      at: 0,
      until: 0,
      preview: new Uint8Array(0),
      previewed: 0,
      bytes: 0,
      count: 0,
    };
    this.#joined.set(lane, joined);
    return joined;
  }

  #take(joined: Joined): Change {
    const { lane, at, until, bytes, count } = joined;
    const preview = this.previewOf(joined.preview.subarray(0, joined.previewed));
    joined.count = 0;
    // Written out: with objects that are spread here the collector looks at everything twice as often.
    const event: LaneEvent =
      count === 1
        ? { kind: 'chunk', bytes, preview, at, label: bytesInWords(bytes) }
        : {
            kind: 'chunk',
            bytes,
            preview,
            at,
            label: `${count} chunks, ${sizeInWords(bytes)}`,
            count,
            until: until === at ? undefined : until,
          };
    return { kind: 'event', lane, event };
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
/**
 * More chunks than this at one time are many, over 500 MB/s of a backup: a change for each stream and millisecond then makes the collector look at everything
 * two to three times as often.
 */
const MANY_CHUNKS = 16;
/** Whole milliseconds, ten of them with the first. */
const COARSE_GRAIN = 9;
