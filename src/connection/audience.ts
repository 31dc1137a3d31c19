import { Observable, Subject } from 'rxjs';
import type { AmandaError } from '../wire/errors.js';
import type { Frame } from '../wire/frame.js';
import type { ProtocolHandle } from './connection.js';

/** Who looks at a connection besides the readers of its streams: taps, the target that answers on it, and who waits for its end. */
export class Audience {
  readonly #received = new Subject<Frame>();
  readonly #sent = new Subject<Frame>();
  /** The handles that the peer opens; those that came before anybody asked, too. */
  readonly incoming: Observable<ProtocolHandle>;
  readonly #incoming = new Subject<ProtocolHandle>();
  readonly #unclaimed: ProtocolHandle[] = [];
  /** Whoever comes behind the end is told of it at once, as with every Subject. */
  readonly #ended = new Subject<never>();

  constructor() {
    this.incoming = new Observable((out) => {
      for (const handle of this.#unclaimed.splice(0)) out.next(handle);
      return this.#incoming.subscribe(out);
    });
  }

  get received(): Observable<Frame> {
    return this.#received;
  }

  get sent(): Observable<Frame> {
    return this.#sent;
  }

  get ended(): Observable<never> {
    return this.#ended;
  }

  /** A frame has come or gone. Whether anybody has seen it, and may keep it. */
  frame(direction: 'received' | 'sent', handle: number, payload: Uint8Array): boolean {
    const taps = direction === 'received' ? this.#received : this.#sent;
    if (!taps.observed) return false;
    taps.next({ handle, payload });
    return true;
  }

  /** The peer has opened a handle. */
  opened(handle: ProtocolHandle): void {
    if (this.#incoming.observed) this.#incoming.next(handle);
    else this.#unclaimed.push(handle);
  }

  /** The connection is over: in good order, or broken by a reason. */
  over(reason?: AmandaError): void {
    this.#incoming.complete();
    this.#sent.complete();
    if (reason === undefined) {
      this.#received.complete();
      this.#ended.complete();
    } else {
      this.#received.error(reason);
      this.#ended.error(reason);
    }
  }
}
