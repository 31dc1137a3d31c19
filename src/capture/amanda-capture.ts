import { MAX_PAYLOAD } from '../wire/frame.js';
import { FIRST_STREAM_HANDLE, isProtocolHandle } from '../wire/frame-header.js';
import { AMANDA_PORT, type Role } from '../wire/role.js';
import type { CapturedPacket } from './captured-packet.js';
import { uint32 } from './numbers.js';
import {
  TcpReassembly,
  type ReassemblyOptions,
  type TcpConnection,
  type TcpEvent,
} from './tcp-reassembly.js';
import { readSegment, type Unusable } from './tcp-segment.js';

/** Events of the connections that carry Amanda's frames; they are numbered from 1. */
export type AmandaEvent = TcpEvent & { readonly number: number };

export interface AmandaCaptureOptions extends Omit<ReassemblyOptions, 'targetPort'> {
  /**
   * Finds the connections to this port only. Default: those to 10080, and those that begin like
   * frames.
   */
  readonly port?: number | undefined;
}

/** What else a capture contains. */
export interface CaptureSummary {
  readonly packets: number;
  /** All connections, of any protocol. */
  readonly connections: number;
  /** The number of unusable packets that may be TCP, by reason. */
  readonly unusable: ReadonlyMap<Unusable, number>;
}

/** A header, and the type of the packet after it. */
const BYTES_TO_JUDGE = 9;

/** Finds the connections of Amanda in a capture, by their port or by their first bytes. */
export class AmandaCapture {
  readonly #sink: (event: AmandaEvent) => void;
  readonly #port: number | undefined;
  readonly #reassembly: TcpReassembly;
  readonly #numbers = new Map<TcpConnection, number>();
  readonly #undecided = new Map<TcpConnection, Undecided>();
  readonly #unusable = new Map<Unusable, number>();
  #packets = 0;
  #connections = 0;
  #count = 0;

  constructor(sink: (event: AmandaEvent) => void, { port, ...options }: AmandaCaptureOptions = {}) {
    this.#sink = sink;
    this.#port = port;
    this.#reassembly = new TcpReassembly((event) => this.#take(event), {
      ...options,
      targetPort: port ?? AMANDA_PORT,
    });
  }

  get summary(): CaptureSummary {
    return { packets: this.#packets, connections: this.#connections, unusable: this.#unusable };
  }

  push(packet: CapturedPacket): void {
    this.#packets += 1;
    const segment = readSegment(packet);
    if (segment === undefined) return;
    if (typeof segment === 'string')
      this.#unusable.set(segment, (this.#unusable.get(segment) ?? 0) + 1);
    else this.#reassembly.push(segment);
  }

  /** The end of the capture. */
  end(): void {
    this.#reassembly.end();
  }

  #take(event: TcpEvent): void {
    const { connection, kind } = event;
    if (kind === 'open') this.#meet(connection);
    const number = this.#numbers.get(connection);
    if (number !== undefined) this.#sink({ ...event, number });
    else this.#judge(connection, event);
    if (kind !== 'over') return;
    this.#numbers.delete(connection);
    this.#undecided.delete(connection);
  }

  #meet(connection: TcpConnection): void {
    this.#connections += 1;
    const isByPort = connection.target.port === (this.#port ?? AMANDA_PORT);
    if (isByPort) this.#accept(connection);
    else if (this.#port === undefined)
      this.#undecided.set(connection, { events: [], heads: { initiator: [], target: [] } });
    else this.#reassembly.ignore(connection);
  }

  #accept(connection: TcpConnection): number {
    this.#count += 1;
    this.#numbers.set(connection, this.#count);
    return this.#count;
  }

  /** Keeps the events of a connection until the first bytes of a direction decide. */
  #judge(connection: TcpConnection, event: TcpEvent): void {
    const undecided = this.#undecided.get(connection);
    if (undecided === undefined) return;
    if (event.kind !== 'bytes') {
      undecided.events.push(event);
      return;
    }
    const head = undecided.heads[event.sender];
    head.push(...event.bytes.subarray(0, BYTES_TO_JUDGE - head.length));
    if (head.length < BYTES_TO_JUDGE) {
      // A copy: a view would keep the memory of the whole chunk.
      undecided.events.push({ ...event, bytes: event.bytes.slice() });
      return;
    }
    undecided.events.push(event);
    this.#undecided.delete(connection);
    if (!looksLikeFrames(head)) {
      this.#reassembly.ignore(connection);
      return;
    }
    const number = this.#accept(connection);
    for (const kept of undecided.events) this.#sink({ ...kept, number });
  }
}

interface Undecided {
  readonly events: TcpEvent[];
  readonly heads: Readonly<Record<Role, number[]>>;
}

/** The lowest stream handle that real programs use. */
const LEAST_STREAM_HANDLE = 400_000;
const LAST_PACKET_TYPE = 4;

/** Whether these bytes are a header and a payload's first byte that a real program may send. */
function looksLikeFrames(head: readonly number[]): boolean {
  const bytes = Uint8Array.from(head);
  const length = uint32(bytes, 0);
  const handle = uint32(bytes, 4);
  if (length > MAX_PAYLOAD) return false;
  if (handle >= 1 && isProtocolHandle(handle))
    return length === 0 || (bytes[8] ?? 0) <= LAST_PACKET_TYPE;
  return handle >= LEAST_STREAM_HANDLE && handle <= FIRST_STREAM_HANDLE;
}
