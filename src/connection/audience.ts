import { Observable, Subject, throwError, type Observer } from 'rxjs';
import type { AmandaError } from '../wire/errors.js';
import type { Frame } from '../wire/frame.js';
import type { Onlooker, ProtocolHandle } from './connection.js';
import { keepHere } from '../transport/keep-here.js';

/** Who looks at a connection besides the readers of its streams: taps, the target that answers on it, and who waits for its end. */
export class Audience {
  /** Taps; few connections have any. */
  #received: Subject<Frame> | undefined;
  #sent: Subject<Frame> | undefined;
  /** Replaced, not changed: one of them may leave while all are told. */
  #onlookers: readonly { readonly look: Onlooker }[] | undefined;
  /** The handles that the peer opens; those that came before anybody asked, too. */
  readonly incoming: Observable<ProtocolHandle>;
  readonly #incoming = new Subject<ProtocolHandle>();
  readonly #unclaimed: ProtocolHandle[] = [];
  /** Whoever comes behind the end is told of it at once, as with every Subject. */
  readonly #ended = new Subject<never>();
  #isOver = false;
  #reason: AmandaError | undefined;

  constructor() {
    this.incoming = new Observable((out) => {
      for (const handle of this.#unclaimed.splice(0)) out.next(handle);
      return this.#incoming.subscribe(out);
    });
  }

  get received(): Observable<Frame> {
    if (this.#received === undefined) {
      this.#received = new Subject();
      if (this.#isOver) end(this.#received, this.#reason);
    }
    return this.#received;
  }

  get sent(): Observable<Frame> {
    if (this.#sent === undefined) {
      this.#sent = new Subject();
      if (this.#isOver) this.#sent.complete();
    }
    return this.#sent;
  }

  get ended(): Observable<never> {
    return this.#ended;
  }

  /** Has every frame told from now on; returns how to stop. */
  look(onlooker: Onlooker): () => void {
    // Whoever looks twice leaves twice.
    const own = { look: onlooker };
    this.#onlookers = [...(this.#onlookers ?? []), own];
    return () => {
      this.#onlookers = this.#onlookers?.filter((one) => one !== own);
    };
  }

  /** A frame has come, `together` with the one before or not, or gone. Whether anybody has got it who may keep it. */
  frame(
    direction: 'received' | 'sent',
    handle: number,
    payload: Uint8Array,
    together = false,
  ): boolean {
    if (this.#onlookers !== undefined)
      for (const { look } of this.#onlookers) tell(look, direction, handle, payload, together);
    const taps = direction === 'received' ? this.#received : this.#sent;
    if (taps?.observed !== true) return false;
    keepHere(payload);
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
    this.#isOver = true;
    this.#reason = reason;
    this.#incoming.complete();
    this.#sent?.complete();
    if (this.#received !== undefined) end(this.#received, reason);
    end(this.#ended, reason);
  }
}

/** What an onlooker throws is reported where RxJS reports what a subscriber throws; the connection does not suffer from it. */
function tell(
  look: Onlooker,
  direction: 'received' | 'sent',
  handle: number,
  payload: Uint8Array,
  together: boolean,
): void {
  try {
    look(direction, handle, payload, together);
  } catch (error) {
    throwError(() => error).subscribe();
  }
}

function end(subject: Observer<never>, reason: AmandaError | undefined): void {
  if (reason === undefined) subject.complete();
  else subject.error(reason);
}
