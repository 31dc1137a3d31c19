import { isProtocolHandle } from '../wire/handles.js';
import { inRange } from '../wire/ranges.js';
import { printable } from '../wire/text.js';
import type { Change } from './change.js';
import { Exchange } from './conversation-exchange.js';
import { ConversationLanes, type Event, type Side } from './conversation-lanes.js';
import { ConversationStream } from './conversation-stream.js';
import { bytesInWords, isRequest, READ_BYTES, tellPacket } from './conversation-texts.js';
import type { SpanKind } from './model.js';

export type { Side } from './conversation-lanes.js';

/** How a conversation is told. */
export interface ConversationOptions {
  /** The connection's lane; the lanes under it begin with this name and a `/`. Unique in the diagram. */
  readonly name: string;
  /** Bytes of each payload that are kept, 0 to 65,536; default 16. */
  readonly preview?: number | undefined;
  /** From whose side it is seen: what that side sends is `out`. Default the initiator. */
  readonly viewpoint?: Side | undefined;
  /** The lane that the connection's lane lies under. */
  readonly under?: string | undefined;
  /** Lanes under the connection's, 1 to 10,000; default 64. What more there is is told on the connection's lane. */
  readonly maxLanes?: number | undefined;
  /**
   * Whether chunks of one stream at one time are told as one, with their number and sum, and those of 10 ms after a time with over 16; default no. The
   * last ones wait until something else happens, or for {@link Conversation.settle}.
   */
  readonly joins?: boolean | undefined;
  /** Takes each step of the diagram as it comes. */
  readonly change: (change: Change) => void;
}

/** Why a connection ended or a direction of it cannot be read. */
export interface ConversationError {
  readonly code?: string | undefined;
  readonly message: string;
}

/**
 * Watches the frames of one connection and tells what they mean, as the steps of a diagram: a lane for each exchange with its packets, a
 * lane for each direction of a stream, by the name that the reply gave it, and who waits for what.
 *
 * It keeps no payload but a preview, and a bounded number of lanes. Times are the caller's, in milliseconds. Whatever the peers
 * send is told, and nothing throws; an option out of its range errors with `BAD_ARGUMENT`. Source: PROTOCOL.md, "Requests and replies" and "Streams".
 */
export class Conversation {
  readonly #lanes: ConversationLanes;
  /** How many bytes of each payload are looked at. */
  readonly front: number;
  readonly #maxLanes: number;
  readonly #exchanges = new Map<number, Exchange>();
  readonly #streams = new Map<number, ConversationStream>();
  readonly #spans = new Map<SpanKind, string>();
  readonly #ended = new Set<Side>();
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
    this.front = Math.max(READ_BYTES, inRange('preview', preview, 0, 65_536));
    this.#maxLanes = inRange('maxLanes', maxLanes, 1, 10_000);
    this.#lanes = new ConversationLanes({
      name,
      viewpoint,
      under,
      most: this.#maxLanes,
      preview,
      joins,
      change,
    });
  }

  /** The connection is there. Without this it begins with the first thing that happens on it. */
  begin(at: number): void {
    this.#lanes.begin(at);
  }

  /**
   * A frame was sent; one without payload is a close. The payload is not kept, and of a payload of `bytes` bytes the front alone, {@link front} of
   * them, will do.
   */
  frame(
    at: number,
    sender: Side,
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
    else if (bytes === 0) this.#stray(at, sender, handle, payload, bytes);
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

  /** Tells what has waited to be joined with more. */
  settle(): void {
    this.#lanes.settle();
  }

  /** How the one side that is recorded receives: whether it has stopped reading, and who holds up whom, in words. */
  flow(
    at: number,
    { paused, stalled }: { readonly paused: boolean; readonly stalled?: string | undefined },
  ): void {
    this.#lanes.begin(at);
    this.#span(at, 'paused', paused ? 'paused' : undefined);
    this.#span(at, 'stalled', stalled === undefined ? undefined : printable(stalled));
  }

  /** What a side sends cannot be read any further; the connection is not over by that. */
  refuse(at: number, sender: Side | undefined, { code, message }: ConversationError): void {
    this.#lanes.begin(at);
    this.#lanes.event(at, this.#lanes.connection, {
      kind: 'error',
      ...(code === undefined ? {} : { code }),
      label: printable(message, 400),
      ...(sender === undefined ? {} : { direction: this.#lanes.directionOf(sender) }),
    });
  }

  /** Something about the connection that has no shape of its own. */
  note(at: number, label: string): void {
    this.#lanes.begin(at);
    this.#lanes.event(at, this.#lanes.connection, { kind: 'value', label: printable(label, 400) });
  }

  /** One side has ended its direction; without a side, or with an error, the connection is over. It is, too, when both have. */
  end(at: number, sender: Side | undefined, error?: ConversationError): void {
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
    if (error !== undefined) this.refuse(at, sender, error);
    else this.#lanes.event(at, this.#lanes.connection, { kind: 'complete', label: 'complete' });
  }

  #streamFrame(
    at: number,
    sender: Side,
    handle: number,
    stream: ConversationStream | undefined,
    payload: Uint8Array,
    bytes: number,
  ): void {
    const isTold =
      bytes === 0 ? stream?.close(at, sender) : stream?.chunk(at, sender, bytes, payload);
    if (isTold !== true) this.#stray(at, sender, handle, payload, bytes);
  }

  #exchangeFrame(
    at: number,
    sender: Side,
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

  /** The exchange that a frame belongs to; a request begins one, and so does whatever comes first on a protocol handle. */
  #exchangeFor(
    at: number,
    sender: Side,
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
    const { service = `handle ${handle}` } = tellPacket(payload);
    return this.#lanes.open(at, service, { kind: 'handle', direction: undefined, handle });
  }

  /** What has no lane of its own is told on the connection's. */
  #stray(at: number, sender: Side, handle: number, payload: Uint8Array, bytes: number): void {
    const direction = this.#lanes.directionOf(sender);
    const event: Event =
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
