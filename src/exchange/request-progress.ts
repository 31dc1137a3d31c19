import { AmandaError } from '../wire/errors.js';
import type { Packet } from '../wire/packet.js';
import { decodeText } from '../wire/text.js';

/** How far a request has come on the initiator. */
export class RequestProgress {
  isAcknowledged = false;
  isReplied = false;
  #partials = 0;
  #lastPartial: Uint8Array | undefined;

  /** A packet has arrived. */
  note({ type, body }: Packet): void {
    if (type === 'ACK' || type === 'PREP') this.isAcknowledged = true;
    if (type === 'REP') this.isReplied = true;
    if (type !== 'PREP') return;
    this.#partials += 1;
    this.#lastPartial = body;
  }

  /** The text of the last partial reply, which repeats those before; undefined without one. */
  get partialReply(): string | undefined {
    return this.#lastPartial === undefined ? undefined : decodeText(this.#lastPartial);
  }

  /** What the target did, as the end of a sentence: `acknowledged the request`. */
  get done(): string {
    if (!this.isAcknowledged) return 'did not acknowledge the request';
    if (this.#partials === 0) return 'acknowledged the request';
    const replies = this.#partials === 1 ? 'partial reply' : 'partial replies';
    return `acknowledged the request and sent ${this.#partials} ${replies}`;
  }

  /** The failure, and what came before it. Unchanged before the acknowledgement. */
  explain(failure: unknown): unknown {
    if (!this.isAcknowledged || !(failure instanceof AmandaError)) return failure;
    const { code, message, peer, handle, advice } = failure;
    const before = `The target ${this.done} before.`;
    const { partialReply } = this;
    // The message of a refusal is the target's own words.
    if (code === 'REFUSED')
      return new AmandaError(code, message, {
        cause: failure.cause,
        peer,
        handle,
        advice: advice === undefined ? before : `${advice} ${before}`,
        partialReply,
      });
    return new AmandaError(code, `${message.replace(/\.?$/, '.')} ${before}`, {
      cause: failure,
      peer,
      handle,
      advice,
      partialReply,
    });
  }
}
