import { isProtocolHandle } from '../wire/frame-header.js';
import { inRange } from '../wire/ranges.js';
import type { Role } from '../wire/role.js';
import { printable } from '../wire/text.js';
import { Exchange } from './conversation-exchange.js';
import { ConversationLanes, type UntimedEvent } from './conversation-lanes.js';
import { ConversationStream } from './conversation-stream.js';
import { bytesInWords, isRequest, READ_BYTES, summarize } from './conversation-texts.js';
import type { Change, SpanKind } from './model.js';

/** Options of a {@link Conversation}. */
export interface ConversationOptions {
  /**
   * The connection's lane, unique in the diagram. Lanes under it begin with this name and a `/`.
   */
  readonly name: string;
  /** How many bytes of each payload are kept, 0 to 65,536; default 16. */
  readonly preview?: number | undefined;
  /** The side whose bytes are `out`. Default the initiator. */
  readonly viewpoint?: Role | undefined;
  /** The lane that the connection's lane is under. */
  readonly under?: string | undefined;
  /**
   * The most lanes under it, 1 to 10,000; default 64. Further events go to the connection's lane.
   */
  readonly maxLanes?: number | undefined;
  /**
   * Whether chunks of one stream at one time become one event with their number and sum. After a
   * time with over 16 chunks, those of 10 ms do. The last ones wait for another event, or for
   * {@link Conversation.flush}. Default false.
   */
  readonly joins?: boolean | undefined;
  /** Called with each step of the diagram. */
  readonly change: (change: Change) => void;
}

/** Why a connection ended, or why a direction of it cannot be read. */
export interface ConversationError {
  readonly code?: string | undefined;
  readonly message: string;
}

/**
 * Observes the frames of one connection and emits their meaning as the steps of a diagram. There is
 * a lane for each exchange and for each direction of a stream, under its announced name, and what
 * each waits for.
 *
 * It keeps a preview of each payload and a bounded number of lanes. Times are the caller's, in
 * milliseconds. No frame makes it throw; the constructor throws `BAD_ARGUMENT` for an option out of
 * range. Source: PROTOCOL.md, "Requests and replies" and "Streams".
 */
export class Conversation {
  readonly #lanes: ConversationLanes;
  /** How many bytes of each payload it reads. */
  readonly frontBytes: number;
  readonly #maxLanes: number;
  readonly #exchanges = new Map<number, Exchange>();
  readonly #streams = new Map<number, ConversationStream>();
  readonly #spans = new Map<SpanKind, string>();
  readonly #ended = new Set<Role>();
  #last: ConversationStream | undefined;
  #isOver = false;

  constructor({
    name,
    preview = 16,
    viewpoint = 'initiator',
    under,
    maxLanes = 64,
    joins = false,
    change,
  }: ConversationOptions) {
    this.frontBytes = Math.max(READ_BYTES, inRange('The option preview', preview, 0, 65_536));
    this.#maxLanes = inRange('The option maxLanes', maxLanes, 1, 10_000);
    this.#lanes = new ConversationLanes({
      name,
      viewpoint,
      under,
      maxLanes: this.#maxLanes,
      preview,
      joins,
      change,
    });
  }

  /** The connection begins. Default: with its first event. */
  begin(at: number): void {
    this.#lanes.begin(at);
  }

  /**
   * A frame was sent; an empty one is a close. The payload is not kept, and its first
   * {@link frontBytes} are enough if `bytes` has its whole length.
   */
  frame(
    at: number,
    sender: Role,
    handle: number,
    payload: Uint8Array,
    bytes = payload.length,
  ): void {
    this.#lanes.begin(at);
    const stream = this.#last?.handle === handle ? this.#last : this.#streams.get(handle);
    if (stream !== undefined) {
      this.#last = stream;
      this.#streamFrame(at, sender, handle, stream, payload, bytes);
      return;
    }
    const exchange = this.#exchangeFor(at, sender, handle, payload);
    if (exchange !== undefined) this.#exchangeFrame(at, sender, exchange, payload, bytes);
    else if (bytes === 0) this.#onConnection(at, sender, handle, payload, bytes);
    else
      this.#streamFrame(
        at,
        sender,
        handle,
        this.#announce(`handle ${handle}`, handle, undefined),
        payload,
        bytes,
      );
  }

  /** Emits the chunks that wait to be joined with others. */
  flush(): void {
    this.#lanes.flush();
  }

  /** Whether the recorded side has paused reading, and which streams block others, in words. */
  flow(
    at: number,
    { paused, stalled }: { readonly paused: boolean; readonly stalled?: string | undefined },
  ): void {
    this.#lanes.begin(at);
    this.#span(at, 'paused', paused ? 'paused' : undefined);
    this.#span(at, 'stalled', stalled === undefined ? undefined : printable(stalled));
  }

  /** An error of the connection, or of one direction. It does not end the connection. */
  error(at: number, sender: Role | undefined, { code, message }: ConversationError): void {
    this.#lanes.begin(at);
    this.#lanes.event(at, this.#lanes.connection, {
      kind: 'error',
      ...(code === undefined ? {} : { code }),
      label: printable(message, 400),
      ...(sender === undefined ? {} : { direction: this.#lanes.directionOf(sender) }),
    });
  }

  /** Any other event of the connection, in words. */
  note(at: number, label: string): void {
    this.#lanes.begin(at);
    this.#lanes.event(at, this.#lanes.connection, { kind: 'value', label: printable(label, 400) });
  }

  /**
   * A side has closed its direction. The connection is over when both have, without a side, or with
   * an error.
   */
  end(at: number, sender: Role | undefined, error?: ConversationError): void {
    if (this.#isOver) return;
    this.#lanes.begin(at);
    if (sender !== undefined && error === undefined) {
      if (this.#ended.has(sender)) return;
      this.#ended.add(sender);
      this.#lanes.event(at, this.#lanes.connection, {
        kind: 'close',
        label: `the ${sender} ends`,
        direction: this.#lanes.directionOf(sender),
      });
      if (this.#ended.size < 2) return;
    }
    this.#isOver = true;
    for (const exchange of this.#exchanges.values()) exchange.end(at);
    for (const stream of this.#streams.values()) stream.end(at);
    this.#span(at, 'paused', undefined);
    this.#span(at, 'stalled', undefined);
    if (error !== undefined) this.error(at, sender, error);
    else this.#lanes.event(at, this.#lanes.connection, { kind: 'complete', label: 'complete' });
  }

  #streamFrame(
    at: number,
    sender: Role,
    handle: number,
    stream: ConversationStream | undefined,
    payload: Uint8Array,
    bytes: number,
  ): void {
    const hasLane =
      bytes === 0 ? stream?.close(at, sender) : stream?.chunk(at, sender, bytes, payload);
    if (hasLane !== true) this.#onConnection(at, sender, handle, payload, bytes);
  }

  #exchangeFrame(
    at: number,
    sender: Role,
    exchange: Exchange,
    payload: Uint8Array,
    bytes: number,
  ): void {
    if (bytes === 0) {
      exchange.close(at, sender);
      return;
    }
    const { streams } = exchange.packet(at, sender, payload, bytes);
    if (sender === 'initiator') return;
    for (const { name, handle } of streams)
      if (handle !== undefined) this.#announce(name, handle, exchange);
  }

  /**
   * The exchange of a frame. A request begins one, and so does the first frame of a protocol
   * handle.
   */
  #exchangeFor(
    at: number,
    sender: Role,
    handle: number,
    payload: Uint8Array,
  ): Exchange | undefined {
    const known = this.#exchanges.get(handle);
    if (payload.length === 0) return known;
    const isNew =
      known === undefined
        ? isProtocolHandle(handle) || isRequest(payload)
        : sender === 'initiator' && payload[0] === 0 && known.isOver;
    if (!isNew) return known;
    const lane = this.#openExchange(at, handle, payload);
    if (lane === undefined) return known;
    const exchange = new Exchange(this.#lanes, lane, known);
    this.#exchanges.set(handle, exchange);
    return exchange;
  }

  #announce(
    name: string,
    handle: number,
    by: Exchange | undefined,
  ): ConversationStream | undefined {
    const known = this.#streams.get(handle);
    if (known !== undefined && (!known.isOver || known.announcedBy === by)) return known;
    if (known === undefined && this.#streams.size >= this.#maxLanes) return undefined;
    const stream = new ConversationStream(this.#lanes, name, handle, by);
    this.#streams.set(handle, stream);
    this.#last = undefined;
    return stream;
  }

  #openExchange(at: number, handle: number, payload: Uint8Array): string | undefined {
    const { service = `handle ${handle}` } = summarize(payload);
    return this.#lanes.open(at, service, { kind: 'handle', direction: undefined, handle });
  }

  /** Shows a frame without a lane of its own on the connection's lane. */
  #onConnection(
    at: number,
    sender: Role,
    handle: number,
    payload: Uint8Array,
    bytes: number,
  ): void {
    const direction = this.#lanes.directionOf(sender);
    const event: UntimedEvent =
      bytes === 0
        ? { kind: 'close', handle, label: `${handle}: close`, direction }
        : {
            kind: 'chunk',
            bytes,
            preview: this.#lanes.previewOf(payload),
            label: `${handle}: ${bytesInWords(bytes)}`,
            direction,
          };
    this.#lanes.event(at, this.#lanes.connection, event);
  }

  #span(at: number, kind: SpanKind, label: string | undefined): void {
    const lane = this.#lanes.connection;
    const before = this.#spans.get(kind);
    if (before === label) return;
    if (before !== undefined) this.#lanes.emit({ kind: 'span-end', lane, span: kind, at });
    if (label === undefined) this.#spans.delete(kind);
    else {
      this.#spans.set(kind, label);
      this.#lanes.emit({ kind: 'span', lane, span: { kind, label, from: at, to: undefined } });
    }
  }
}
