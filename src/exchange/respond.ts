import { Observable, Subject, Subscription, asyncScheduler, defer, endWith } from 'rxjs';
import type { Subscriber } from 'rxjs';
import type { Connection, ProtocolHandle } from '../connection/connection.js';
import { hungUp } from '../connection/connection-errors.js';
import { describePeer } from '../transport/channel.js';
import { AmandaError, isAmandaError } from '../wire/errors.js';
import { packet } from '../wire/packet.js';
import { bytesBefore, encodeText, messageOf, printable } from '../wire/text.js';
import { AdmittedRequest } from './admitted-request.js';
import type { ExchangeEvent } from './exchange-event.js';
import { beginWithRequest } from './begin-with-request.js';
import type { Admission, RespondOptions } from './respond-options.js';
import { runService, type PreparedReply } from './run-service.js';
import { runStreams, type RunningStream } from './run-streams.js';
import {
  stepTarget,
  type TargetEffect,
  type TargetEvent,
  type TargetOutcome,
  type TargetState,
} from './target-machine.js';

/**
 * Answers one request on a protocol handle of a target, from its REQ to the end of its last stream.
 *
 *     in    Q------------A         Q: REQ  A: ACK
 *     sent  -K------R-----C        K: ACK  R: REP, again every 10 s without an ACK  C: close, and
 *     out   -a------r--------(e|)     the streams open
 *
 * Never errors: a failure goes to the peer and into the `ended` event. Unsubscribing ends the
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
  readonly #serviceOver = new Subject<never>();
  #timer: Subscription | undefined;
  #state: TargetState = { kind: 'fresh' };
  #admission: Admission | undefined;
  #admitted: AdmittedRequest | undefined;
  #streams: readonly RunningStream[] = [];
  #replyBytes = 0;
  #error: AmandaError | undefined;

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
    const lost = (error?: unknown): void => {
      this.#error ??= error instanceof AmandaError ? error : hungUp(this.#connection.peer);
      this.#step({ kind: 'lost' });
    };
    this.#work.add(
      this.#handle.packets.pipe(beginWithRequest(this.#options)).subscribe({
        next: (received) => {
          this.#step({ kind: 'packet', packet: received });
        },
        error: lost,
      }),
    );
    this.#work.add(this.#connection.ended.subscribe({ error: lost, complete: lost }));
    return () => {
      this.#stop();
    };
  }

  #step(event: TargetEvent): void {
    const { state, effects } = stepTarget(this.#state, event, this.#options.timing);
    this.#state = state;
    for (const effect of effects) {
      this.#perform(effect);
      // A service may answer at once, and sending may break the connection: both take the next
      // step, which makes the remaining effects obsolete.
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
        // In a packet a text ends at its first NUL.
        this.#handle.send(packet(effect.type, bytesBefore(encodeText(effect.body), 0)));
        return;
      case 'wait':
        this.#timer?.unsubscribe();
        this.#timer = asyncScheduler.schedule(() => {
          this.#step({ kind: 'timeout' });
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
    this.#work.add(
      defer(() => this.#options.admit(body)).subscribe({
        next: (admission) => {
          this.#judge(admission);
        },
        error: (error: unknown) => {
          const peer = describePeer(this.#connection.peer);
          const why = `The access check failed: ${oneLine(error)}.`;
          this.#error = new AmandaError('ACCESS_DENIED', why, { cause: error, peer });
          // What the check threw is for the log alone.
          this.#judge({ kind: 'refused', reason: 'the access check failed' });
        },
      }),
    );
  }

  #judge(admission: Admission): void {
    if (this.#state.kind !== 'examining') return;
    if (admission.kind === 'refused') {
      this.#admission = admission;
      this.#step({ kind: 'refused', reason: admission.reason });
      return;
    }
    const { request } = admission;
    if (this.#options.running.has(request)) {
      this.#step({ kind: 'duplicate' });
      return;
    }
    this.#options.running.add(request);
    this.#admission = admission;
    const { peer } = this.#connection;
    const handle = this.#handle.number;
    this.#admitted = new AdmittedRequest(request, peer, handle);
    const { disk, level } = this.#admitted.subject;
    this.#out.next({ kind: 'admitted', peer, handle, request, disk, level });
    this.#step({ kind: 'accepted' });
  }

  #startService(): void {
    if (this.#admission?.kind !== 'admitted') return;
    const { request, peer, service } = this.#admission;
    const incoming = {
      service: request.service,
      arguments: request.arguments,
      user: request.user,
      peer,
      handle: this.#handle.number,
      reportFailure: (error: unknown) => this.#admitted?.reported(error),
    };
    this.#work.add(
      runService(service, incoming, this.#connection).subscribe({
        next: (reply) => {
          this.#answer(reply);
        },
        error: (error: unknown) => {
          this.#serviceFailed(error);
        },
        complete: () => {
          this.#serviceOver.complete();
        },
      }),
    );
  }

  #answer({ kind, body, names, streams }: PreparedReply): void {
    if (kind === 'partial') {
      this.#step({ kind: 'partialReply', body });
      return;
    }
    this.#streams = this.#admitted?.observing(streams) ?? streams;
    this.#reply(body, names);
  }

  #reply(body: Uint8Array, streams: readonly string[]): void {
    this.#replyBytes = body.length;
    this.#mayRunAgain(true);
    this.#admitted?.replied(body);
    const { peer } = this.#connection;
    this.#out.next({ kind: 'replied', peer, handle: this.#handle.number, streams });
    this.#step({ kind: 'reply', body, streams: this.#streams.length > 0 });
  }

  /** Before the reply a failure is the reply; after it only the connection's end shows a gap. */
  #serviceFailed(cause: unknown): void {
    const name = this.#admission?.request?.service ?? '';
    const why = oneLine(cause);
    const peer = describePeer(this.#connection.peer);
    this.#error = new AmandaError(
      'SERVICE_FAILED',
      `The service ${name} failed: ${why.replace(/\.$/, '')}.`,
      {
        cause,
        peer,
        handle: this.#handle.number,
      },
    );
    // An AmandaError is meant for the peer. What else a service throws is for the log alone.
    const told = isAmandaError(cause) ? why : 'the service failed';
    if (this.#state.kind === 'running')
      this.#reply(encodeText(`ERROR service ${name}: ${told}\n`), []);
    else this.#connection.abort(this.#error);
  }

  /**
   * Over datagrams an initiator that starts anew asks on the same connection, from the same port.
   * While a reply waits for its ACK, the same request with another number is such a new one.
   */
  #mayRunAgain(may: boolean): void {
    if (this.#admission?.kind !== 'admitted' || this.#connection.taken === undefined) return;
    const { running } = this.#options;
    if (may) running.delete(this.#admission.request);
    else running.add(this.#admission.request);
  }

  #openStreams(): void {
    this.#mayRunAgain(false);
    this.#work.add(
      runStreams(
        this.#streams,
        this.#serviceOver.pipe(endWith(undefined)),
        this.#connection.taken?.(this.#streams.map(({ stream }) => stream.handle)),
      ).subscribe({
        error: (error: unknown) => {
          this.#serviceFailed(error);
        },
        complete: () => {
          this.#step({ kind: 'streamsEnded' });
        },
      }),
    );
  }

  #finish(outcome: TargetOutcome): void {
    const { peer } = this.#connection;
    const handle = this.#handle.number;
    const admission = this.#admission;
    this.#stop();
    if (admission?.kind === 'refused') {
      const { reason, request } = admission;
      this.#out.next({ kind: 'refused', peer, handle, reason, request });
    }
    let sent = this.#replyBytes;
    let received = admission?.kind === 'admitted' ? admission.request.arguments.length : 0;
    for (const { stream } of this.#streams) {
      sent += stream.sent;
      received += stream.received;
    }
    const end = this.#admitted?.end(outcome, this.#error) ?? { outcome, error: this.#error };
    this.#out.next({ kind: 'ended', peer, handle, ...end, sent, received });
    this.#out.complete();
  }

  #stop(): void {
    this.#state = { kind: 'done' };
    this.#timer?.unsubscribe();
    if (this.#admission?.kind === 'admitted') this.#options.running.delete(this.#admission.request);
    this.#work.unsubscribe();
  }
}

function oneLine(error: unknown): string {
  return printable(messageOf(error), 1_000);
}
