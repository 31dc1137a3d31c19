import { Observable, concatMap, defer, map, of, range, toArray } from 'rxjs';
import type { Peer } from '../../transport/channel.js';
import { ReceiveBudget, type Flow } from '../../connection/receive-budget.js';
import { withDefaults, type ConnectionOptions } from '../../connection/options.js';
import type { SideOwner, SideStreams } from '../../connection/side-streams.js';
import type { Stream } from '../../connection/stream.js';
import { AmandaError } from '../../wire/errors.js';
import { dial, openDoor, type SideSocket } from './datagram-door.js';
import { RawStream } from './datagram-raw-stream.js';
import { checkStreamPort, tooManyStreams, type SideOptions } from './datagram-side.js';

/**
 * The streams of the driver bsd: each has a TCP connection of its own, whose port at the target is its number.
 *
 * One receive budget is for all; when it is used up those are not read that hold something, so a stream that is
 * not read does not hold up the others. Source: PROTOCOL.md, "Drivers".
 */
export class RawStreams implements SideStreams {
  readonly flow: Observable<Flow>;
  readonly #peer: Peer;
  readonly #owner: SideOwner;
  readonly #side: SideOptions;
  readonly #options: Required<ConnectionOptions>;
  readonly #budget: ReceiveBudget;
  readonly #open = new Map<number, RawStream>();
  #over = false;

  constructor(peer: Peer, owner: SideOwner, side: SideOptions, options: ConnectionOptions) {
    this.#peer = peer;
    this.#owner = owner;
    this.#side = side;
    this.#options = withDefaults(options);
    this.#budget = new ReceiveBudget(this.#options.receiveBudget, this.#options.stallAfter, {
      changed: () => {
        for (const raw of [...this.#open.values()])
          if (this.#budget.isUsedUp) raw.pause();
          else raw.resume();
      },
      holders: () => this.#holders(),
      // Each stream has a connection of its own, so none waits for another.
      waiting: () => [],
      stalled: () => undefined,
    });
    this.flow = this.#budget.flow;
  }

  get isOpen(): boolean {
    return [...this.#open.values()].some(({ controller }) => controller.isOpen);
  }

  stream(number: number): Stream {
    const known = this.#open.get(number);
    if (known !== undefined) return known.controller.stream;
    checkStreamPort(number);
    return this.#add(
      number,
      defer(() => dial(this.#peer, number, this.#side.ports)),
    );
  }

  announce(count: number): Observable<readonly Stream[]> {
    if (count === 0) return of([]);
    return range(0, count).pipe(
      concatMap(() => openDoor(this.#peer, this.#side)),
      map(({ port, arrival }) => this.#add(port, arrival)),
      toArray(),
    );
  }

  end(reason: AmandaError): void {
    this.#over = true;
    for (const raw of [...this.#open.values()]) raw.end(reason);
    this.#open.clear();
    this.#budget.end();
  }

  #add(number: number, opening: Observable<SideSocket>): Stream {
    if (this.#open.size >= this.#options.maxHandles)
      throw tooManyStreams(this.#options.maxHandles, number);
    const raw = new RawStream(number, opening, {
      peer: this.#peer,
      budget: this.#budget,
      sendBudget: this.#options.sendBudget,
      chunkBytes: this.#options.frameBytes,
      owner: this.#owner,
      gone: (gone) => this.#open.delete(gone),
    });
    if (this.#over)
      raw.end(
        new AmandaError('CONNECTION_CLOSED', 'The connection has ended.', { handle: number }),
      );
    else this.#open.set(number, raw);
    return raw.controller.stream;
  }

  #holders(): Flow['holders'] {
    return [...this.#open.values()]
      .map(({ controller: { handle, held } }) => ({ handle, held }))
      .filter(({ held }) => held > 0)
      .sort((a, b) => b.held - a.held);
  }
}
