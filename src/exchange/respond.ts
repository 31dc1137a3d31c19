import {
  Observable,
  Subject,
  Subscription,
  asyncScheduler,
  defer,
  endWith,
  type Subscriber,
} from 'rxjs';
import { describePeer, type Peer } from '../transport/channel.js';
import type { Connection, ProtocolHandle } from '../connection/connection.js';
import { AmandaError } from '../wire/errors.js';
import { packet } from '../wire/packet.js';
import type { ParsedRequest } from '../wire/request.js';
import { printable, encodeText } from '../wire/text.js';
import type { ExchangeEvent } from './exchange-event.js';
import { MOST_REPLY_BYTES, replyBody, sendable } from './reply-body.js';
import type { RunningRequests } from './running-requests.js';
import { runStreams, type RunningStream } from './run-streams.js';
import type { IncomingRequest, Service, ServiceReply, StreamHandler } from './service.js';
import {
  stepTarget,
  type TargetEffect,
  type TargetEvent,
  type TargetOutcome,
  type TargetState,
} from './target-machine.js';
import type { Timing } from './timing.js';

/** Whether a request may run, and what runs for it. */
export type Admission =
  | {
      readonly kind: 'admitted';
      readonly request: ParsedRequest;
      readonly peer: Peer;
      readonly service: Service;
    }
  /** `reason` is what stands behind `ERROR ` in the NAK. */
  | { readonly kind: 'refused'; readonly reason: string; readonly request?: ParsedRequest };

/** What a target needs to answer the requests of one connection. */
export interface RespondOptions {
  /** Judges the body of a REQ. Emits once. */
  readonly admit: (body: Uint8Array) => Observable<Admission>;
  readonly timing: Timing;
  /** Those of the connection's other handles, too. */
  readonly running: RunningRequests;
}

/**
 * Answers what comes on one protocol handle of a target: one request, from its REQ to the end of its
 * last stream.
 *
 *     in    Q------------A         Q: REQ  A: ACK
 *     sent  -K------R-----C        K: ACK  R: REP, again every 10 s without an ACK  C: close, and the streams open
 *     out   -a------r--------(e|)
 *
 * Never errors: what goes wrong is said to the peer and in the `ended` event. Unsubscribing ends the
 * service. Source: PROTOCOL.md, "The exchange: target".
 */
export function respond(
  connection: Connection,
  handle: ProtocolHandle,
  options: RespondOptions,
): Observable<ExchangeEvent> {
  return new Observable((out) => new Responder(connection, handle, options, out).start());
}

class Responder {
  readonly #connection: Connection;
  readonly #handle: ProtocolHandle;
  readonly #options: RespondOptions;
  readonly #out: Subscriber<ExchangeEvent>;
  readonly #work = new Subscription();
  #timer: Subscription | undefined;
  #state: TargetState = { kind: 'fresh' };
  #admission: Extract<Admission, { kind: 'admitted' }> | undefined;
  #refusal: Extract<Admission, { kind: 'refused' }> | undefined;
  #streams: readonly RunningStream[] = [];
  #replyBytes = 0;
  #error: AmandaError | undefined;
  readonly #serviceOver = new Subject<never>();
  #answered = false;

  constructor(
    connection: Connection,
    handle: ProtocolHandle,
    options: RespondOptions,
    out: Subscriber<ExchangeEvent>,
  ) {
    this.#connection = connection;
    this.#handle = handle;
    this.#options = options;
    this.#out = out;
  }

  start(): () => void {
    const lost = (error: unknown): void => {
      this.#error ??= error instanceof AmandaError ? error : undefined;
      this.#happens({ kind: 'lost' });
    };
    this.#work.add(
      this.#handle.packets.subscribe({
        next: (received) => {
          this.#happens({ kind: 'packet', packet: received });
        },
        error: lost,
      }),
    );
    this.#work.add(
      this.#connection.ended.subscribe({
        error: lost,
        complete: () => {
          lost(undefined);
        },
      }),
    );
    return () => {
      this.#stop();
    };
  }

  #happens(event: TargetEvent): void {
    const { state, effects } = stepTarget(this.#state, event, this.#options.timing);
    this.#state = state;
    for (const effect of effects) {
      this.#perform(effect);
      // A service may answer at once, and what is sent may break the connection: what is left to do here is out of date then.
      if (this.#state !== state) return;
    }
  }

  #perform(effect: TargetEffect): void {
    switch (effect.kind) {
      case 'examine':
        this.#examine(effect.body);
        return;
      case 'startService':
        this.#startService();
        return;
      case 'send':
        this.#handle.send(packet(effect.type, sendable(effect.body)));
        return;
      case 'wait':
        this.#timer?.unsubscribe();
        this.#timer = asyncScheduler.schedule(() => {
          this.#happens({ kind: 'timeout' });
        }, effect.milliseconds);
        return;
      case 'openStreams':
        this.#openStreams();
        return;
      case 'dropStreams':
        for (const { stream } of this.#streams) stream.complete();
        return;
      case 'closeHandle':
        this.#timer?.unsubscribe();
        this.#handle.close();
        return;
      case 'finish':
        this.#finish(effect.outcome);
    }
  }

  #examine(body: Uint8Array): void {
    const refuse = (reason: string): void => {
      this.#refusal = { kind: 'refused', reason };
      this.#happens({ kind: 'refused', reason });
    };
    this.#work.add(
      defer(() => this.#options.admit(body)).subscribe({
        next: (admission) => {
          this.#judge(admission);
        },
        error: (error: unknown) => {
          refuse(oneLine(error));
        },
      }),
    );
  }

  #judge(admission: Admission): void {
    if (admission.kind === 'refused') {
      this.#refusal = admission;
      this.#happens({ kind: 'refused', reason: admission.reason });
      return;
    }
    if (this.#options.running.has(admission.request)) {
      this.#happens({ kind: 'duplicate' });
      return;
    }
    this.#options.running.begins(admission.request);
    this.#admission = admission;
    this.#out.next({
      kind: 'admitted',
      peer: this.#connection.peer,
      handle: this.#handle.number,
      request: admission.request,
    });
    this.#happens({ kind: 'accepted' });
  }

  #startService(): void {
    if (this.#admission === undefined) return;
    const { request, peer, service } = this.#admission;
    const incoming: IncomingRequest = {
      service: request.service,
      arguments: request.arguments,
      user: request.user,
      peer,
      handle: this.#handle.number,
    };
    this.#work.add(
      defer(() => service(incoming)).subscribe({
        next: (reply) => {
          this.#answer(reply);
        },
        error: (error: unknown) => {
          this.#serviceFailed(error);
        },
        complete: () => {
          if (!this.#answered) this.#serviceFailed(new Error('it ended without a reply'));
          this.#serviceOver.complete();
        },
      }),
    );
  }

  #answer(reply: ServiceReply): void {
    if (this.#state.kind !== 'running' || this.#answered) return;
    if (reply.kind === 'partial') {
      // One that no packet holds can be spared: the final reply repeats it.
      if (reply.body.length <= MOST_REPLY_BYTES)
        this.#happens({ kind: 'partialReply', body: reply.body });
      return;
    }
    this.#answered = true;
    if (reply.streams === undefined) this.#reply(reply.body, []);
    else this.#answerWithStreams(reply.body, Object.entries(reply.streams));
  }

  #answerWithStreams(
    body: Uint8Array,
    streams: readonly (readonly [name: string, handler: StreamHandler | undefined])[],
  ): void {
    const present = streams.flatMap(([name, handler]) =>
      handler === undefined ? [] : [[name, handler] as const],
    );
    this.#work.add(
      this.#connection.announce(present.length).subscribe({
        next: (announced) => {
          this.#streams = present.flatMap(([name, handler], index) => {
            const stream = announced[index];
            return stream === undefined ? [] : [{ name, stream, handler }];
          });
          this.#reply(
            body,
            streams.map(([name]) => name),
          );
        },
        error: (error: unknown) => {
          this.#serviceFailed(error);
        },
      }),
    );
  }

  #reply(text: Uint8Array, names: readonly string[]): void {
    try {
      const connect = names.map((name) => ({
        name,
        handle: this.#streams.find((present) => present.name === name)?.stream.handle,
      }));
      this.#sendReply(replyBody(connect, text), names);
    } catch (error) {
      for (const { stream } of this.#streams) stream.complete();
      this.#streams = [];
      this.#serviceFailed(error);
    }
  }

  #sendReply(body: Uint8Array, names: readonly string[]): void {
    this.#replyBytes = body.length;
    this.#out.next({
      kind: 'replied',
      peer: this.#connection.peer,
      handle: this.#handle.number,
      streams: names,
    });
    this.#happens({ kind: 'reply', body, streams: this.#streams.length > 0 });
  }

  /** Before the reply the failure is the reply; after it only the end of the connection can tell that bytes are missing. */
  #serviceFailed(error: unknown): void {
    const name = this.#admission?.request.service ?? '';
    this.#error = new AmandaError(
      'SERVICE_FAILED',
      `The service ${name} failed: ${oneLine(error)}.`,
      {
        cause: error,
        peer: describePeer(this.#connection.peer),
        handle: this.#handle.number,
      },
    );
    if (this.#state.kind === 'running')
      this.#sendReply(encodeText(`ERROR service ${name}: ${oneLine(error)}\n`), []);
    else this.#connection.abort(this.#error);
  }

  #openStreams(): void {
    this.#work.add(
      runStreams(this.#streams, this.#serviceOver.pipe(endWith(undefined))).subscribe({
        error: (error: unknown) => {
          this.#serviceFailed(error);
        },
        complete: () => {
          this.#happens({ kind: 'streamsEnded' });
        },
      }),
    );
  }

  #finish(outcome: TargetOutcome): void {
    const { peer } = this.#connection;
    const handle = this.#handle.number;
    const refusal = this.#refusal;
    this.#stop();
    if (refusal !== undefined)
      this.#out.next({
        kind: 'refused',
        peer,
        handle,
        reason: refusal.reason,
        request: refusal.request,
      });
    let sent = this.#replyBytes;
    let received = this.#admission?.request.arguments.length ?? 0;
    for (const { stream } of this.#streams) {
      sent += stream.sent;
      received += stream.received;
    }
    this.#out.next({ kind: 'ended', peer, handle, outcome, error: this.#error, sent, received });
    this.#out.complete();
  }

  #stop(): void {
    this.#state = { kind: 'done' };
    this.#timer?.unsubscribe();
    if (this.#admission !== undefined) this.#options.running.ends(this.#admission.request);
    this.#work.unsubscribe();
  }
}

function oneLine(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error), 1_000);
}
