import { Observable, type Subscriber } from 'rxjs';
import { AmandaError } from '../wire/errors.js';
import type { Packet } from '../wire/packet.js';
import type { ProtocolHandle } from './connection.js';

/** Packets that are kept for the first reader. The peer repeats what is dropped beyond that. */
const MOST_EARLY = 4;

/** What a handle needs from the connection that it belongs to. */
export interface HandleOwner {
  send(handle: DatagramHandle, packet: Packet): void;
  forget(handle: DatagramHandle): void;
}

/**
 * A protocol handle over datagrams: a word and a sequence number that both sides put on every
 * packet. Source: PROTOCOL.md, "Datagrams".
 */
export class DatagramHandle implements ProtocolHandle {
  readonly number: number;
  /** The word and the number that its datagrams carry. */
  readonly word: string;
  readonly sequence: number;
  readonly packets: Observable<Packet>;
  readonly #owner: HandleOwner;
  readonly #early: Packet[] = [];
  #reader: Subscriber<Packet> | undefined;
  #taken = false;
  #lost: AmandaError | undefined;
  #replied = false;
  #settled = false;

  constructor(number: number, word: string, sequence: number, owner: HandleOwner) {
    this.number = number;
    this.word = word;
    this.sequence = sequence;
    this.#owner = owner;
    this.packets = new Observable((reader) => this.#readBy(reader));
  }

  /** Whether the reply was sent or received, and acknowledged: the exchange is over. */
  get settled(): boolean {
    return this.#settled;
  }

  send(packet: Packet): void {
    if (packet.type === 'REP') this.#replied = true;
    if (packet.type === 'ACK' && this.#replied) this.#settled = true;
    this.#owner.send(this, packet);
  }

  close(): void {
    this.#owner.forget(this);
  }

  /** For the connection: a packet has arrived. */
  deliver(packet: Packet): void {
    if (packet.type === 'REP') this.#replied = true;
    if (packet.type === 'ACK' && this.#replied) this.#settled = true;
    if (this.#reader !== undefined) this.#reader.next(packet);
    else if (!this.#taken && this.#early.length < MOST_EARLY) this.#early.push(packet);
  }

  /** For the connection: it has ended. */
  lose(reason: AmandaError): void {
    this.#lost = reason;
    this.#reader?.error(reason);
  }

  #readBy(reader: Subscriber<Packet>): () => void {
    if (this.#taken)
      throw new AmandaError('ALREADY_READ', `Handle ${this.number} already has its reader.`, {
        handle: this.number,
      });
    this.#taken = true;
    this.#reader = reader;
    for (const packet of this.#early.splice(0)) reader.next(packet);
    if (this.#lost !== undefined) reader.error(this.#lost);
    return () => {
      this.#reader = undefined;
    };
  }
}
