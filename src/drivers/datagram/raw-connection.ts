import { Subject, Subscription, map, mergeMap, tap, type Observable } from 'rxjs';
import { asLoss, endedHere, overSendBudget } from '../../connection/connection-errors.js';
import type { FrameObserver } from '../../connection/connection.js';
import { FrameWriter, atEndOfTick } from '../../connection/frame-writer.js';
import type { ConnectionOptions } from '../../connection/options.js';
import type { Credit } from '../../connection/receive-buffer.js';
import type { ReceiveBudget } from '../../connection/receive-budget.js';
import { StreamController, type Carrier } from '../../connection/stream-controller.js';
import type { Stream } from '../../connection/stream.js';
import { demultiplex } from '../../operators/demultiplex.js';
import { markShared } from '../../transport/buffer-pool.js';
import type { Channel } from '../../transport/channel.js';
import type { StreamConnection } from './tcp-streams.js';

/**
 * One stream on a TCP connection of its own: its bytes and nothing else.
 *
 *     channel   -abc-d-e-0|      0: an empty chunk, which is the peer's FIN
 *     observer  -ABC-D-E-0-      the same as frames, at most `frameBytes` each
 *     stream    -abc-d-e-|
 *
 * It counts against a budget that it shares with others. While that is used up, it reads only if it
 * holds nothing, so a stream without a reader holds up no other. Source: PROTOCOL.md, "Drivers".
 */
export class RawConnection implements StreamConnection, Carrier {
  readonly handle: number;
  readonly credit: Credit;
  readonly ended: Observable<never>;
  readonly #ended = new Subject<never>();
  readonly #channel: Channel;
  readonly #budget: ReceiveBudget;
  readonly #options: Required<ConnectionOptions>;
  readonly #observer: FrameObserver;
  readonly #writer: FrameWriter;
  readonly #controller: StreamController;
  readonly #subscription = new Subscription();
  #isPaused = false;
  #isOver = false;

  /** In the channel an empty chunk must be the end of a direction. */
  constructor(
    channel: Channel,
    handle: number,
    budget: ReceiveBudget,
    options: Required<ConnectionOptions>,
    observer: FrameObserver,
  ) {
    this.handle = handle;
    this.ended = this.#ended;
    this.#channel = channel;
    this.#budget = budget;
    this.#options = options;
    this.#observer = observer;
    this.#writer = new FrameWriter(channel, options.gather ? atEndOfTick : undefined, false);
    this.credit = {
      get room() {
        return budget.room;
      },
      hold: (bytes) => {
        budget.hold(bytes);
        this.pauseOrResume();
      },
      release: (bytes) => {
        budget.release(bytes);
        this.pauseOrResume();
      },
    };
    this.#controller = new StreamController(handle, this);
    this.#receive();
  }

  #receive(): void {
    const bytes = this.#channel.bytes.pipe(
      tap(markShared),
      mergeMap((chunk) => cut(chunk, this.#options.frameBytes)),
      map((payload) => ({ handle: this.handle, payload })),
      tap(({ handle, payload }) => {
        this.#observer('received', handle, payload);
      }),
      demultiplex(() => this.#controller),
    );
    this.#subscription.add(
      bytes.subscribe({
        error: (error: unknown) => {
          this.abort(error);
        },
        complete: () => {
          this.abort(new Error('it was closed'));
        },
      }),
    );
  }

  /** Cost of what has arrived and was not consumed, in bytes. */
  get held(): number {
    return this.#controller.held;
  }

  get isReady(): boolean {
    return this.#writer.isReady;
  }

  get ready(): Observable<boolean> {
    return this.#writer.ready;
  }

  stream(): Stream {
    return this.#controller.stream;
  }

  send(handle: number, bytes: Uint8Array): void {
    this.sendFrame(handle, bytes);
  }

  sendFrame(handle: number, payload: Uint8Array): void {
    if (this.#isOver) return;
    this.#observer('sent', handle, payload);
    if (payload.length > 0) {
      this.#writer.write(handle, payload);
    } else {
      this.#writer.flush();
      this.#channel.write([payload]);
    }
    const { sendBudget } = this.#options;
    if (this.#writer.backlog > sendBudget)
      this.abort(overSendBudget(this.#channel.peer, handle, sendBudget));
  }

  /** Pauses or resumes the channel, as the budget and what is held ask for. */
  pauseOrResume(): void {
    const mustPause = this.#budget.isUsedUp && this.held > 0;
    if (mustPause === this.#isPaused || this.#isOver) return;
    this.#isPaused = mustPause;
    if (mustPause) this.#channel.pause();
    else this.#channel.resume();
  }

  /** Both directions have closed: the channel ends by itself when it has sent what is left. */
  forget(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#channel.close();
    this.#ended.complete();
  }

  /** Before the peer has closed its direction, to close is to abort. */
  close(): void {
    this.abort(endedHere(this.#channel.peer, 'closed'));
  }

  abort(reason: unknown): void {
    if (this.#isOver) return;
    this.#finish();
    this.#subscription.unsubscribe();
    this.#channel.destroy();
    const loss = asLoss(reason, this.#channel.peer, this.handle);
    this.#controller.lose(loss);
    this.#ended.error(loss);
  }

  #finish(): void {
    this.#isOver = true;
    this.#writer.end();
  }
}

/** A chunk in pieces of so many bytes, in order; an empty one as it is. */
function cut(chunk: Uint8Array, size: number): readonly Uint8Array[] {
  if (chunk.length <= size) return [chunk];
  return Array.from({ length: Math.ceil(chunk.length / size) }, (_, index) =>
    chunk.subarray(index * size, (index + 1) * size),
  );
}
