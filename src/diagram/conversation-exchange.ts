import type { ConversationLanes, Side } from './conversation-lanes.js';
import { tellPacket, type ToldPacket } from './conversation-texts.js';

/** One request and its answers, as its packets tell. */
export class Exchange {
  readonly #lanes: ConversationLanes;
  readonly #lane: string;
  readonly #closed: Record<Side, boolean> = { initiator: false, target: false };
  #waitsFor: string | undefined;
  #isReplied = false;
  #isSettled = false;
  #isHeard = false;
  #before: Exchange | undefined;

  /** `before` is the exchange that had the handle until now. */
  constructor(lanes: ConversationLanes, lane: string, before: Exchange | undefined) {
    this.#lanes = lanes;
    this.#lane = lane;
    if (before !== undefined && !before.#closed.target) this.#before = before;
    if (before !== undefined) before.#before = undefined;
  }

  /** Whether a REQ on this handle asks for something new, and is not this one's again. */
  get isOver(): boolean {
    return this.#isSettled || this.#closed.initiator;
  }

  /** A packet of so many bytes, `payload` being the front of it at least. */
  packet(at: number, sender: Side, payload: Uint8Array, bytes: number): ToldPacket {
    const packet = tellPacket(payload);
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
      this.#isHeard = true;
      this.#hear(at, type);
    } else if (type === 'REQ' && !this.#isReplied) this.#wait(at, 'ACK');
    else if (type === 'ACK' && this.#isReplied) {
      this.#isSettled = true;
      this.#wait(at, undefined);
    }
    return packet;
  }

  close(at: number, sender: Side): void {
    // A target closes behind the ACK of its reply; the initiator may have used the number again by then.
    if (sender === 'target' && this.#before !== undefined && !this.#isHeard) {
      const before = this.#before;
      this.#before = undefined;
      before.close(at, sender);
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

  #hear(at: number, type: ToldPacket['type']): void {
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
