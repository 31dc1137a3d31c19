import { Observable, Subject, Subscription, type Subscriber } from 'rxjs';
import type { Channel, Peer } from './channel.js';

/**
 * A channel that is being opened. What is written waits for that; how it fails is how this fails.
 */
export class PendingChannel implements Channel {
  readonly peer: Peer;
  readonly bytes: Observable<Uint8Array>;
  readonly drain: Observable<void>;
  readonly framesApart = false;
  readonly #drained = new Subject<void>();
  readonly #work = new Subscription();
  #waiting: Uint8Array[] = [];
  #channel: Channel | undefined;
  #paused = false;
  #closing = false;

  constructor(peer: Peer, opening: Observable<Channel>) {
    this.peer = peer;
    this.drain = this.#drained;
    this.bytes = new Observable((out) => {
      this.#work.add(
        opening.subscribe({
          next: (channel) => {
            this.#open(channel, out);
          },
          error: (error: unknown) => {
            out.error(error);
          },
        }),
      );
      return () => {
        this.destroy();
      };
    });
  }

  get isIdle(): boolean {
    return this.#channel === undefined ? this.#waiting.length === 0 : this.#channel.isIdle;
  }

  write(parts: readonly Uint8Array[]): boolean {
    if (this.#channel !== undefined) return this.#channel.write(parts);
    this.#waiting.push(...parts);
    return false;
  }

  pause(): void {
    this.#paused = true;
    this.#channel?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#channel?.resume();
  }

  close(): void {
    this.#closing = true;
    this.#channel?.close();
  }

  destroy(): void {
    this.#waiting = [];
    this.#work.unsubscribe();
    this.#channel?.destroy();
  }

  #open(channel: Channel, out: Subscriber<Uint8Array>): void {
    this.#channel = channel;
    this.#work.add(channel.drain.subscribe(this.#drained));
    const mayGoOn = channel.write(this.#waiting.splice(0));
    this.#work.add(channel.bytes.subscribe(out));
    if (this.#paused) channel.pause();
    if (this.#closing) channel.close();
    else if (mayGoOn) this.#drained.next();
  }
}
