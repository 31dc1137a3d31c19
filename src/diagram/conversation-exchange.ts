import type { Role } from '../wire/role.js';
import type { ConversationLanes } from './conversation-lanes.js';
import { summarize, type PacketSummary } from './conversation-texts.js';

/** One request and its replies, as its packets show. */
export class Exchange {
  readonly #lanes: ConversationLanes;
  readonly #lane: string;
  readonly #closed: Record<Role, boolean> = { initiator: false, target: false };
  #waitsFor: string | undefined;
  #isReplied = false;
  #isSettled = false;
  #isAnswered = false;
  #previous: Exchange | undefined;

  /** `previous` is the exchange that had the handle until now. */
  constructor(lanes: ConversationLanes, lane: string, previous: Exchange | undefined) {
    this.#lanes = lanes;
    this.#lane = lane;
    if (previous === undefined) return;
    if (!previous.#closed.target) this.#previous = previous;
    previous.#previous = undefined;
  }

  /** Whether a REQ on this handle begins a new exchange instead of repeating this one. */
  get isOver(): boolean {
    return this.#isSettled || this.#closed.initiator;
  }

  /** A packet of so many bytes; `payload` has at least its front. */
  packet(at: number, sender: Role, payload: Uint8Array, bytes: number): PacketSummary {
    const packet = summarize(payload);
    const { type, label } = packet;
    const preview = this.#lanes.previewOf(payload);
    this.#lanes.event(at, this.#lane, {
      kind: 'packet',
      type,
      bytes,
      preview,
      label,
      direction: this.#lanes.directionOf(sender),
    });
    if (sender === 'target') {
      this.#isAnswered = true;
      this.#answered(at, type);
    } else if (type === 'REQ' && !this.#isReplied) this.#wait(at, 'ACK');
    else if (type === 'ACK' && this.#isReplied) {
      this.#isSettled = true;
      this.#wait(at, undefined);
    }
    return packet;
  }

  close(at: number, sender: Role): void {
    // The initiator may reuse the handle before the target closes it for the previous exchange.
    if (sender === 'target' && this.#previous !== undefined && !this.#isAnswered) {
      const previous = this.#previous;
      this.#previous = undefined;
      previous.close(at, sender);
      return;
    }
    const again = this.#closed[sender];
    const wasOpen = !this.#closed.initiator || !this.#closed.target;
    this.#closed[sender] = true;
    this.#lanes.event(at, this.#lane, {
      kind: 'close',
      label: again ? 'close, again' : 'close',
      direction: this.#lanes.directionOf(sender),
    });
    if (wasOpen && this.#closed.initiator && this.#closed.target) this.#complete(at);
  }

  /** The connection has ended. */
  end(at: number): void {
    if (this.#closed.initiator && this.#closed.target) return;
    if (this.#isReplied || this.#isSettled) this.#complete(at);
    else {
      this.#wait(at, undefined);
      this.#lanes.event(at, this.#lane, {
        kind: 'error',
        code: 'CONNECTION_LOST',
        label: 'the connection ended before the reply',
      });
    }
  }

  #answered(at: number, type: PacketSummary['type']): void {
    if (type === 'NAK') {
      this.#isSettled = true;
      this.#wait(at, undefined);
    } else if (type === 'REP') {
      this.#isReplied = true;
      if (!this.#isSettled) this.#wait(at, 'ACK');
    } else if ((type === 'ACK' || type === 'PREP') && !this.#isReplied && !this.#isSettled)
      this.#wait(at, 'REP');
  }

  #wait(at: number, what: string | undefined): void {
    if (what === this.#waitsFor) return;
    if (this.#waitsFor !== undefined)
      this.#lanes.emit({ kind: 'span-end', lane: this.#lane, span: 'waiting', at });
    this.#waitsFor = what;
    if (what === undefined) return;
    this.#lanes.emit({
      kind: 'span',
      lane: this.#lane,
      span: { kind: 'waiting', label: `waiting for ${what}`, from: at, to: undefined },
    });
  }

  #complete(at: number): void {
    this.#wait(at, undefined);
    this.#lanes.event(at, this.#lane, { kind: 'complete', label: 'complete' });
  }
}
