import {
  BehaviorSubject,
  Observable,
  Subject,
  distinctUntilChanged,
  filter,
  map,
  type Subscription,
} from 'rxjs';
import type { Channel } from '../transport/channel.js';
import { memoryChannels } from '../drivers/memory.js';
import { FrameDecoder, type Frame } from '../wire/frame.js';
import { withHeader } from './bytes.js';

/**
 * The other side of a connection, played by a test: it sends the test's frames, and shows what it
 * receives.
 *
 *     const peer = new ScriptedPeer();
 *     const connection = new TcpmConnection(peer.channel, { side: 'target', namesUser: false });
 *     peer.received(1).subscribe(…);
 *     peer.send(1, of(packetPayload('REQ', 'SERVICE noop\nOPTIONS ;\n')));
 */
export class ScriptedPeer {
  /** For the connection under test. */
  readonly channel: Channel;
  /** The frames from the connection under test; completes when that ends the channel. */
  readonly frames: Observable<Frame>;
  /** Whether the connection under test has paused reading. */
  readonly paused: Observable<boolean>;
  readonly #frames = new Subject<Frame>();
  readonly #paused = new BehaviorSubject(false);
  readonly #broken = new Subject<never>();
  readonly #far: Channel;

  constructor() {
    const [near, far] = memoryChannels();
    this.#far = far;
    this.frames = this.#frames.asObservable();
    this.paused = this.#paused.pipe(distinctUntilChanged());
    this.channel = observed(near, this.#paused, this.#broken);
    const decoder = new FrameDecoder();
    far.bytes.subscribe({
      next: (chunk) => {
        for (const frame of decoder.push(chunk)) this.#frames.next(frame);
      },
      complete: () => this.#frames.complete(),
    });
  }

  /** Starts or stops reading; initially it reads. Unread bytes wait in the channel. */
  setReading(on: boolean): void {
    if (on) this.#far.resume();
    else this.#far.pause();
  }

  /** The payloads of one handle. */
  received(handle: number): Observable<Uint8Array> {
    return this.frames.pipe(
      filter((frame) => frame.handle === handle),
      map(({ payload }) => payload),
    );
  }

  /**
   * Sends each payload in a frame on one handle. Completing closes the channel, an error breaks it.
   */
  send(handle: number, payloads: Observable<Uint8Array>): Subscription {
    return this.sendBytes(payloads.pipe(map((payload) => withHeader(handle, payload))));
  }

  /** Sends frames. Completing closes the channel, an error breaks it. */
  sendFrames(frames: Observable<Frame>): Subscription {
    return this.sendBytes(frames.pipe(map(({ handle, payload }) => withHeader(handle, payload))));
  }

  /** Sends bytes. Completing closes the channel, an error breaks it. */
  sendBytes(bytes: Observable<Uint8Array>): Subscription {
    return bytes.subscribe({
      next: (chunk) => {
        this.#far.write([chunk]);
      },
      error: (reason: unknown) => this.#broken.error(reason),
      complete: () => this.#far.close(),
    });
  }
}

/** A channel that reports whether it is paused, and can be broken. */
function observed(channel: Channel, paused: Subject<boolean>, broken: Observable<never>): Channel {
  return {
    peer: channel.peer,
    bytes: new Observable((out) => {
      out.add(broken.subscribe(out));
      out.add(channel.bytes.subscribe(out));
    }),
    drain: channel.drain,
    isIdle: channel.isIdle,
    framesApart: channel.framesApart,
    write: (parts) => channel.write(parts),
    pause: () => {
      channel.pause();
      paused.next(true);
    },
    resume: () => {
      paused.next(false);
      channel.resume();
    },
    close: () => channel.close(),
    destroy: () => channel.destroy(),
  };
}
