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
 * The other side of a connection, played by a script: it says what its lanes say, and what it hears
 * can be looked at.
 *
 *     const peer = new ScriptedPeer();
 *     const connection = new TcpmConnection(peer.channel, { side: 'target', namesUser: false }, { gather: false });
 *     peer.hears(1).subscribe(…);
 *     peer.says(1, of(packetPayload('REQ', 'SERVICE noop\nOPTIONS ;\n')));
 */
export class ScriptedPeer {
  /** For the connection under test. */
  readonly channel: Channel;
  /** Every frame that comes from the connection under test; completes when that ends the channel. */
  readonly heard: Observable<Frame>;
  /** Whether the connection under test has stopped reading. */
  readonly paused: Observable<boolean>;
  readonly #heard = new Subject<Frame>();
  readonly #paused = new BehaviorSubject(false);
  readonly #broken = new Subject<never>();
  readonly #far: Channel;

  constructor() {
    const [near, far] = memoryChannels();
    this.#far = far;
    this.heard = this.#heard.asObservable();
    this.paused = this.#paused.pipe(distinctUntilChanged());
    this.channel = watched(near, this.#paused, this.#broken);
    const decoder = new FrameDecoder();
    far.bytes.subscribe({
      next: (chunk) => {
        for (const frame of decoder.push(chunk)) this.#heard.next(frame);
      },
      complete: () => this.#heard.complete(),
    });
  }

  /** Whether it reads what comes; it does from the start. What it does not read waits in the channel, as far as that takes it. */
  reads(on: boolean): void {
    if (on) this.#far.resume();
    else this.#far.pause();
  }

  /** What comes on one handle. */
  hears(handle: number): Observable<Uint8Array> {
    return this.heard.pipe(
      filter((frame) => frame.handle === handle),
      map(({ payload }) => payload),
    );
  }

  /** Sends each payload in a frame on one handle. Completing closes the channel, an error breaks it. */
  says(handle: number, payloads: Observable<Uint8Array>): Subscription {
    return this.sends(payloads.pipe(map((payload) => withHeader(handle, payload))));
  }

  /** Sends frames. Completing closes the channel, an error breaks it. */
  saysFrames(frames: Observable<Frame>): Subscription {
    return this.sends(frames.pipe(map(({ handle, payload }) => withHeader(handle, payload))));
  }

  /** Sends bytes. Completing closes the channel, an error breaks it. */
  sends(bytes: Observable<Uint8Array>): Subscription {
    return bytes.subscribe({
      next: (chunk) => {
        this.#far.write([chunk]);
      },
      error: (reason: unknown) => this.#broken.error(reason),
      complete: () => this.#far.close(),
    });
  }
}

/** A channel that tells when it is paused, and can be broken. */
function watched(channel: Channel, paused: Subject<boolean>, broken: Observable<never>): Channel {
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
