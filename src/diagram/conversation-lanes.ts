import type { Role } from '../wire/role.js';
import { printable } from '../wire/text.js';
import { bytesInWords } from './conversation-texts.js';
import { sizeInWords } from './layout/layout-words.js';
import {
  LANE_SEPARATOR,
  type Change,
  type Direction,
  type Happening,
  type Lane,
  type LaneEvent,
} from './model.js';

/** An event of a lane, without the time. */
export type UntimedEvent = Happening & Pick<LaneEvent, 'label' | 'direction'>;

export interface LanesOptions {
  readonly name: string;
  readonly viewpoint: Role;
  readonly under: string | undefined;
  readonly maxLanes: number;
  /** How many bytes of each payload are kept. */
  readonly preview: number;
  /** Whether chunks of one lane at one time become one event, and those of 10 ms in busy times. */
  readonly joins: boolean;
  readonly change: (change: Change) => void;
}

/** The chunks of one lane that are not emitted yet; none when `count` is 0. */
interface PendingChunks {
  readonly lane: string;
  at: number;
  until: number;
  /** The front of the first chunk: `previewed` bytes. Reused, so it may be longer than that. */
  preview: Uint8Array;
  previewed: number;
  bytes: number;
  count: number;
}

/** The lanes of one connection: its own, and a bounded number of lanes under it. */
export class ConversationLanes {
  /** The name of the connection's own lane. */
  readonly connection: string;
  readonly #options: LanesOptions;
  readonly #names = new Set<string>();
  #hasBegun = false;
  /** One for each lane, reused for every flush: recording is as fast as it allocates little. */
  readonly #pendingOf = new Map<string, PendingChunks>();
  /** The first `#pendingLanes` of these have chunks, in the order of their first chunk. */
  readonly #pending: PendingChunks[] = [];
  #pendingLanes = 0;
  #pendingSince = 0;
  #pendingChunks = 0;
  /** Milliseconds after the first pending chunk in which others join it. */
  #joinWithin = 0;

  constructor(options: LanesOptions) {
    this.#options = options;
    this.connection = printable(options.name, LONGEST_NAME);
  }

  /** Begins the connection's own lane, once. */
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

  /** Begins a lane under the connection. Returns its name; undefined when there are too many. */
  open(
    at: number,
    name: string,
    rest: Pick<Lane, 'kind' | 'direction' | 'handle'>,
  ): string | undefined {
    if (this.#names.size >= this.#options.maxLanes) return undefined;
    const unique = this.#unique(
      `${this.connection}${LANE_SEPARATOR}${printable(name, LONGEST_NAME)}`,
    );
    this.#names.add(unique);
    this.emit({ kind: 'lane', at, lane: { ...rest, name: unique, under: this.connection } });
    return unique;
  }

  event(at: number, lane: string, event: UntimedEvent): void {
    this.emit({ kind: 'event', lane, event: { ...event, at } });
  }

  /** Bytes of a stream; `payload` has at least their front. */
  chunk(at: number, lane: string, bytes: number, payload: Uint8Array): void {
    if (at < this.#pendingSince || at - this.#pendingSince > this.#joinWithin) this.flush();
    const joined = this.#chunksOf(lane);
    if (this.#pendingLanes === 0) this.#pendingSince = at;
    if (joined.count === 0) {
      joined.at = at;
      joined.previewed = Math.min(payload.length, this.#options.preview);
      if (joined.previewed > joined.preview.length)
        joined.preview = new Uint8Array(joined.previewed);
      joined.preview.set(payload.subarray(0, joined.previewed));
      joined.bytes = 0;
      this.#pending[this.#pendingLanes] = joined;
      this.#pendingLanes += 1;
    }
    joined.until = at;
    joined.bytes += bytes;
    joined.count += 1;
    this.#pendingChunks += 1;
    if (!this.#options.joins) this.flush();
  }

  /** Emits the pending chunks. */
  flush(): void {
    if (this.#pendingLanes === 0) return;
    // All are taken before one is emitted, because a receiver may add more.
    const changes = this.#pending.slice(0, this.#pendingLanes).map((one) => this.#take(one));
    this.#pendingLanes = 0;
    this.#joinWithin = this.#pendingChunks > MANY_CHUNKS ? BUSY_JOIN : 0;
    this.#pendingChunks = 0;
    for (const change of changes) this.#options.change(change);
  }

  emit(change: Change): void {
    this.flush();
    this.#options.change(change);
  }

  /** A copy: a view would keep the whole memory of the payload. */
  previewOf(payload: Uint8Array): Uint8Array | undefined {
    const { preview } = this.#options;
    return preview === 0 ? undefined : payload.slice(0, preview);
  }

  #chunksOf(lane: string): PendingChunks {
    const known = this.#pendingOf.get(lane);
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
    this.#pendingOf.set(lane, joined);
    return joined;
  }

  #take(joined: PendingChunks): Change {
    const { lane, at, until, bytes, count } = joined;
    const preview = this.previewOf(joined.preview.subarray(0, joined.previewed));
    joined.count = 0;
    // Written out instead of spread: this runs for every chunk.
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

  directionOf(sender: Role): Direction {
    return sender === this.#options.viewpoint ? 'out' : 'in';
  }

  #unique(name: string): string {
    let unique = name;
    for (let number = 2; this.#names.has(unique); number += 1) unique = `${name} ${number}`;
    return unique;
  }
}

const LONGEST_NAME = 64;
/** More chunks than this at one time make a busy time, in which chunks of 10 ms are joined. */
const MANY_CHUNKS = 16;
/** Whole milliseconds: ten with the first. */
const BUSY_JOIN = 9;
