import { Observable, Subscription, defer, of } from 'rxjs';
import { AmandaError } from '../wire/errors.js';
import { NO_BYTES, type Frame } from '../wire/frame.js';
import { Audience } from './audience.js';
import type { Channel, Peer } from '../transport/channel.js';
import type { Connection, Onlooker, ProtocolHandle } from './connection.js';
import { ReceiveBudget, holdersOf, type Flow } from './flow.js';
import { Handles } from './handles.js';
import { Intake, type ChannelEnd } from './intake.js';
import { asLoss, cutInside, endedHere, hungUp, overSendBudget, stalled } from './losses.js';
import { Newcomers } from './newcomers.js';
import { withDefaults, type ConnectionOptions } from './options.js';
import { TcpmProtocolHandle } from './protocol-handle.js';
import { Stream, type Carrier } from './stream.js';
import { FrameWriter } from './writer.js';

/** Which side of a connection this is, and whether (on the initiator: which) user its requests name. */
export type Role =
  | { readonly side: 'initiator'; readonly user: string | undefined }
  | { readonly side: 'target'; readonly namesUser: boolean };

/**
 * A connection over one byte channel: TCPM frames, demultiplexed by handle.
 *
 *     bytes    -ab--c-de-f-|
 *     frames   -1--2--2-1--|      every frame, for taps
 *     stream 1 -x-------y--|
 *     stream 2 ----x--y----|      kept from the first byte on, until its reader comes
 *
 * It reads from the channel from the start, and pauses it when what is kept reaches the receive
 * budget. Source: PROTOCOL.md, "Frames" and "Streams".
 */
export class TcpmConnection extends Observable<Frame> implements Connection, Carrier {
  readonly peer: Peer;
  readonly namesUser: boolean;
  readonly user: string | undefined;
  readonly incoming: Observable<ProtocolHandle>;
  readonly ended: Observable<never>;
  readonly #channel: Channel;
  readonly #options: Required<ConnectionOptions>;
  readonly #audience: Audience;
  readonly #handles: Handles<Stream>;
  readonly #intake: Intake;
  readonly #budget: ReceiveBudget;
  readonly #writer: FrameWriter;
  readonly #subscriptions = new Subscription();
  #newcomers: Newcomers | undefined;
  /** Somebody has seen what was sent, and may keep it. */
  #wasWatched = false;
  /** The same of what was received. */
  #wasHeard = false;
  /** Why the connection is over. Made when somebody is to be told: most connections end in good order, with nothing open on them. */
  #over: (() => AmandaError) | undefined;

  constructor(channel: Channel, role: Role, options: ConnectionOptions = {}) {
    const audience = new Audience();
    super((tap) => audience.received.subscribe(tap));
    this.#audience = audience;
    this.#options = withDefaults(options);
    this.#channel = channel;
    this.#handles = new Handles(
      role.side,
      this.#options.maxHandles,
      (handle) => new Stream(handle, this),
    );
    this.#writer = new FrameWriter(channel, this.#options.gather);
    this.#budget = new ReceiveBudget(this.#options.receiveBudget, this.#options.stallAfter, {
      pause: () => {
        channel.pause();
      },
      resume: () => {
        this.#intake.work();
        if (!this.#budget.paused && this.#over === undefined) channel.resume();
      },
      holders: () => holdersOf(this.#handles.all()),
      waiting: () =>
        [...this.#handles.all()].filter((stream) => stream.isWaiting).map(({ handle }) => handle),
      stalled: (stall) => {
        if (this.#options.onStall === 'error') this.abort(stalled(stall, this.peer));
      },
    });
    this.#intake = new Intake(channel, this.#options.maxPayload, this.#budget, {
      frame: this.#deliver,
      failed: (error) => {
        this.abort(error instanceof Error ? error : new Error(String(error)));
      },
      ended: (end) => {
        this.#conclude(end);
      },
    });
    this.peer = channel.peer;
    this.user = role.side === 'initiator' ? role.user : undefined;
    this.namesUser = role.side === 'initiator' ? role.user !== undefined : role.namesUser;
    this.incoming = audience.incoming;
    this.ended = audience.ended;
    this.#start();
  }

  get sent(): Observable<Frame> {
    return this.#audience.sent;
  }

  look(onlooker: Onlooker): () => void {
    return this.#audience.look(onlooker);
  }

  get flow(): Observable<Flow> {
    return this.#budget.flow;
  }

  get isReady(): boolean {
    return this.#writer.isReady;
  }

  get ready(): Observable<boolean> {
    return this.#writer.ready;
  }

  stream(handle: number): Stream {
    if (!Number.isInteger(handle) || handle < 0 || handle > 0xffff_ffff) {
      throw new AmandaError(
        'BAD_ARGUMENT',
        `A handle is a whole number from 0 to 4294967295, not ${handle}.`,
      );
    }
    const known = this.#handles.get(handle);
    if (known !== undefined) return known;
    const stream = this.#handles.open(handle);
    if (this.#handles.wasClosed(handle)) stream.deliverEnd();
    if (this.#over !== undefined) stream.lose(this.#over());
    return stream;
  }

  handle(number: number = this.#handles.nextProtocolHandle()): ProtocolHandle {
    return new TcpmProtocolHandle(this.stream(number), () => {
      this.#handles.forget(number);
    });
  }

  announce(count: number): Observable<readonly Stream[]> {
    return defer(() => {
      this.#handles.requireRoom(count);
      return of(Array.from({ length: count }, () => this.stream(this.#handles.nextStreamHandle())));
    });
  }

  send(handle: number, bytes: Uint8Array): void {
    const size = this.#options.frameBytes;
    if (bytes.length <= size) this.#write(handle, bytes);
    else
      for (let at = 0; at < bytes.length; at += size)
        this.#write(handle, bytes.subarray(at, at + size));
  }

  sendPacket(handle: number, payload: Uint8Array): void {
    this.#write(handle, payload);
  }

  flush(): boolean {
    this.#writer.flush();
    return this.#channel.isIdle === true && !this.#wasWatched;
  }

  sendEnd(handle: number): void {
    this.#write(handle, NO_BYTES);
  }

  get room(): number {
    return this.#budget.room;
  }

  hold(bytes: number): void {
    this.#budget.hold(bytes);
  }

  release(bytes: number): void {
    this.#budget.release(bytes);
  }

  reuse(payload: Uint8Array): void {
    if (!this.#wasHeard) this.#intake.giveBack(payload);
  }

  keepHere(): void {
    this.#intake.keepHere();
  }

  whenDelivered(tell: () => void): void {
    this.#intake.whenDelivered(tell);
  }

  forget(handle: number): void {
    this.#handles.forget(handle);
  }

  close(): void {
    if (this.#over !== undefined) return;
    this.#writer.flush();
    this.#finish(() => endedHere(this.peer, 'closed'), false);
    this.#channel.close();
  }

  abort(reason: Error): void {
    if (this.#over !== undefined) return;
    this.#finish(() => asLoss(reason, this.peer), true);
    this.#subscriptions.unsubscribe();
    this.#channel.destroy();
  }

  /** Ends the connection the way its state asks for: in good order when nothing is open, else at once. */
  dispose(): void {
    if ([...this.#handles.all()].some((stream) => stream.isOpen))
      this.abort(endedHere(this.peer, 'cancelled'));
    else this.close();
  }

  #start(): void {
    this.#subscriptions.add(
      this.#channel.bytes.subscribe({
        next: (chunk) => {
          this.#intake.push(chunk);
        },
        error: (error: unknown) => {
          this.#intake.finish({ error });
        },
        complete: () => {
          this.#intake.finish({});
        },
      }),
    );
  }

  readonly #deliver = (handle: number, payload: Uint8Array, together: boolean): void => {
    if (this.#audience.frame('received', handle, payload, together)) this.#wasHeard = true;
    const stream = this.#handles.get(handle) ?? this.#unknown(handle, payload);
    if (payload.length > 0) stream?.deliver(payload);
    else stream?.deliverEnd();
  };

  /** A frame for a handle that is not there: a close is noted, bytes are kept, and on a target they begin an exchange. */
  #unknown(handle: number, payload: Uint8Array): Stream | undefined {
    if (this.#handles.isRetired(handle)) return undefined;
    if (payload.length === 0) {
      // A target has all its streams before the initiator knows their numbers.
      if (this.#handles.side === 'initiator') this.#handles.noteClose(handle);
      return undefined;
    }
    const stream = this.#handles.open(handle);
    if (this.#handles.side === 'target') {
      stream.outlastEnd();
      const exchange = new TcpmProtocolHandle(stream, () => {
        this.#handles.forget(handle);
      });
      // Where frames of a tick do not wait for each other, time is virtual and has no turns.
      if (this.#options.gather)
        (this.#newcomers ??= new Newcomers(this, this.#options.receiveBudget)).came();
      this.#audience.opened(exchange);
    }
    return stream;
  }

  #write(handle: number, payload: Uint8Array): void {
    if (this.#over !== undefined) return;
    if (this.#audience.frame('sent', handle, payload)) this.#wasWatched = true;
    this.#writer.write(handle, payload);
    if (this.#writer.backlog > this.#options.sendBudget)
      this.abort(overSendBudget(this.peer, handle, this.#options.sendBudget));
  }

  #conclude({ error }: ChannelEnd): void {
    if (this.#over !== undefined) {
      this.#subscriptions.unsubscribe();
      return;
    }
    const broken = error ?? cutInside(this.#intake, this.peer);
    this.#finish(
      () => (broken === undefined ? hungUp(this.peer) : asLoss(broken, this.peer)),
      broken !== undefined,
    );
    this.#subscriptions.unsubscribe();
    this.#channel.close();
  }

  #finish(why: () => AmandaError, broken: boolean): void {
    let made: AmandaError | undefined;
    const reason = (): AmandaError => (made ??= why());
    this.#over = reason;
    this.#writer.end();
    for (const stream of [...this.#handles.all()]) stream.lose(reason());
    this.#handles.clear();
    this.#intake.stop();
    this.#budget.end();
    this.#audience.over(broken ? reason() : undefined);
  }
}
