import { Observable, Subject } from 'rxjs';
import type { Channel, Peer } from '../transport/channel.js';
import { Fifo } from '../transport/fifo.js';
import type { ConnectionOptions } from '../connection/options.js';
import { TcpmConnection } from '../connection/tcpm-connection.js';
import type { Connection } from '../connection/connection.js';
import type { Driver, Listener } from './driver.js';
import { yieldConnection } from './yield-connection.js';
import { checkOptions } from '../wire/arguments.js';
import { AmandaError } from '../wire/errors.js';

/** Bytes that wait in one direction of a memory channel before it counts as saturated. */
const HIGH_WATER = 65_536;

/** One end of a pair of channels inside the process. What one end writes arrives immediately. */
class MemoryChannel implements Channel {
  readonly peer: Peer;
  readonly isIdle = true;
  readonly framesApart = false;
  readonly drain: Observable<void>;
  readonly bytes: Observable<Uint8Array>;
  readonly #drained = new Subject<void>();
  readonly #arrived = new Fifo<Uint8Array>();
  #other: MemoryChannel | undefined;
  #waiting = 0;
  /** Whether the other end waits for a drain. */
  #isSaturated = false;
  #reader: { next(chunk: Uint8Array): void; end(): void; fail(reason: Error): void } | undefined;
  #paused = false;
  #isHanding = false;
  #ended = false;
  #closed = false;

  constructor(peer: Peer) {
    this.peer = peer;
    this.drain = this.#drained;
    this.bytes = new Observable((out) => {
      this.#reader = {
        next: (chunk) => {
          out.next(chunk);
        },
        end: () => {
          out.complete();
        },
        fail: (reason) => {
          out.error(reason);
        },
      };
      this.#hand();
      return () => {
        this.#reader = undefined;
        this.destroy();
      };
    });
  }

  /** Joins two ends. */
  static pair(initiator: Peer, target: Peer): [MemoryChannel, MemoryChannel] {
    const near = new MemoryChannel(target);
    const far = new MemoryChannel(initiator);
    near.#other = far;
    far.#other = near;
    return [near, far];
  }

  write(parts: readonly Uint8Array[]): boolean {
    if (this.#closed || this.#other === undefined) return true;
    // Copied, as a kernel does: what was written may change now.
    for (const part of parts) this.#other.#arrived.push(part.slice());
    for (const part of parts) this.#other.#waiting += part.length;
    this.#other.#hand();
    if (this.#other.#waiting < HIGH_WATER) return true;
    this.#other.#isSaturated = true;
    return false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#hand();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#other?.end();
  }

  destroy(): void {
    this.#arrived.clear();
    this.#ended = true;
    this.close();
  }

  /** The other end has closed. */
  end(): void {
    this.#ended = true;
    this.#hand();
  }

  /** The channel breaks. */
  break(): void {
    this.#closed = true;
    this.#reader?.fail(new Error('it was cut'));
  }

  /** The other end has taken what this one has written. */
  tellDrained(): void {
    this.#drained.next();
  }

  /** Hands over what has arrived. Never nested: a reader may answer and be answered immediately. */
  #hand(): void {
    if (this.#isHanding) return;
    this.#isHanding = true;
    while (!this.#paused && this.#reader !== undefined) {
      const chunk = this.#arrived.shift();
      if (chunk === undefined) break;
      this.#waiting -= chunk.length;
      this.#reader.next(chunk);
    }
    this.#isHanding = false;
    if (this.#arrived.size > 0) return;
    if (this.#isSaturated) {
      this.#isSaturated = false;
      this.#other?.tellDrained();
    }
    if (this.#ended) this.#reader?.end();
  }
}

const initiatorPeer: Peer = { driver: 'memory', host: 'initiator' };
const targetPeer: Peer = { driver: 'memory', host: 'target' };

/** Two joined channels: the initiator's end and the target's end. */
export function memoryChannels(initiator = initiatorPeer, target = targetPeer): [Channel, Channel] {
  return MemoryChannel.pair(initiator, target);
}

/** Options of {@link memory}. */
export interface MemoryOptions {
  /** The name in `SECURITY USER`; without it requests carry no such line. */
  readonly user?: string;
}

/** Both sides of a memory driver. */
export interface Memory {
  /** For the initiator; it reaches `listener`. */
  readonly driver: Driver;
  /** For the target. */
  readonly listener: Listener;
  /**
   * Breaks every open connection, like the loss of a network: both ends error with
   * `CONNECTION_LOST`.
   */
  cut(): void;
}

/**
 * A driver and its listener in one process, for tests, demonstrations and programs that are both
 * sides at once. No time passes between the two ends.
 */
export function memory(options: MemoryOptions = {}): Memory {
  checkOptions('memory', options, { user: 'name?' });
  const { user } = options;
  const connected = new Subject<Channel>();
  const cuts = new Subject<void>();
  const namesUser = user !== undefined;
  return {
    driver: {
      name: 'memory',
      user,
      open: (connectionOptions) =>
        new Observable<Connection>((out) => {
          if (!connected.observed) {
            out.error(
              new AmandaError(
                'CONNECT_FAILED',
                'This memory driver has no listener yet; subscribe to serve(listener, services) first.',
              ),
            );
            return undefined;
          }
          const [near, far] = MemoryChannel.pair(initiatorPeer, targetPeer);
          connected.next(far);
          out.add(
            cuts.subscribe(() => {
              near.break();
              far.break();
            }),
          );
          const connection = new TcpmConnection(
            near,
            { side: 'initiator', user },
            connectionOptions,
          );
          return yieldConnection(connection, out);
        }),
    },
    listener: {
      name: 'memory',
      accept: (connectionOptions: ConnectionOptions) =>
        new Observable<Connection>((out) =>
          connected.subscribe((channel) =>
            out.next(new TcpmConnection(channel, { side: 'target', namesUser }, connectionOptions)),
          ),
        ),
    },
    cut: () => {
      cuts.next();
    },
  };
}
