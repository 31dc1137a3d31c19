import { Observable, Subscription, asyncScheduler, timer, type Subscriber } from 'rxjs';
import { describePeer, hostOf } from '../transport/channel.js';
import type { Connection, ProtocolHandle } from '../connection/connection.js';
import { AmandaError } from '../wire/errors.js';
import { explain } from '../wire/explanations.js';
import { packet, type Packet } from '../wire/packet.js';
import { refusal } from '../wire/reply.js';
import {
  stepInitiator,
  type InitiatorEffect,
  type InitiatorEvent,
  type InitiatorState,
} from './initiator-machine.js';
import { RequestProgress } from './request-progress.js';
import { reportRetry } from './retries.js';
import type { Timing } from './timing.js';
import { brokenUnanswered, neverAcknowledged } from './unanswered.js';

/** A packet that answers a request: PREP any number of times, then REP. */
export interface Answer {
  readonly kind: 'partial' | 'final';
  readonly packet: Packet;
}

/**
 * Asks once, on a fresh handle of the connection, and emits the answers.
 *
 *     in      ---A---P----R          A: ACK  P: PREP  R: REP
 *     out     -------p----(r|)       p: partial  r: final
 *     sent    Q-----------(AC)       Q: REQ, again after 10 s without an answer  C: close
 *
 * The final answer follows the ACK of the REP and the close of the handle. Errors with `REFUSED`
 * (the text is the message), `ACK_TIMEOUT`, `REP_TIMEOUT`, and what broke the connection.
 * Unsubscribing closes the handle and stops the timer. Source: PROTOCOL.md, "The exchange:
 * initiator".
 */
export function exchange(
  connection: Connection,
  body: Uint8Array,
  timing: Timing,
  progress = new RequestProgress(),
): Observable<Answer> {
  return new Observable((out) =>
    new Exchange(connection, packet('REQ', body), timing, progress, out).start(),
  );
}

class Exchange {
  readonly #connection: Connection;
  readonly #handle: ProtocolHandle;
  readonly #request: Packet;
  readonly #timing: Timing;
  readonly #out: Subscriber<Answer>;
  readonly #progress: RequestProgress;
  readonly #packets = new Subscription();
  #timer: Subscription | undefined;
  #state: InitiatorState = { kind: 'ready' };
  #isAnswered = false;
  #sends = 0;

  constructor(
    connection: Connection,
    request: Packet,
    timing: Timing,
    progress: RequestProgress,
    out: Subscriber<Answer>,
  ) {
    this.#connection = connection;
    this.#handle = connection.openHandle();
    this.#request = request;
    this.#timing = timing;
    this.#progress = progress;
    this.#out = out;
  }

  start(): () => void {
    this.#packets.add(
      this.#handle.packets.subscribe({
        next: (received) => {
          this.#isAnswered = true;
          this.#progress.note(received);
          this.#step({ kind: 'packet', packet: received, at: asyncScheduler.now() });
        },
        error: (reason: unknown) => {
          this.#step({ kind: 'lost', reason });
        },
        complete: () => {
          this.#step({ kind: 'lost', reason: this.#closedEarly() });
        },
      }),
    );
    this.#step({ kind: 'start', at: asyncScheduler.now() });
    return () => {
      this.#release();
    };
  }

  #step(event: InitiatorEvent): void {
    const { state, effects } = stepInitiator(this.#state, event, this.#timing);
    this.#state = state;
    if (state.kind === 'done') this.#timer?.unsubscribe();
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: InitiatorEffect): void {
    switch (effect.kind) {
      case 'send':
        if (effect.type === 'REQ') this.#countSend();
        this.#handle.send(effect.type === 'REQ' ? this.#request : packet('ACK'));
        return;
      case 'wait':
        this.#timer?.unsubscribe();
        this.#timer = timer(effect.milliseconds).subscribe(() => {
          this.#step({ kind: 'timeout', at: asyncScheduler.now() });
        });
        return;
      case 'partial':
        this.#out.next({ kind: 'partial', packet: effect.packet });
        return;
      case 'reply':
        this.#release();
        this.#out.next({ kind: 'final', packet: effect.packet });
        this.#out.complete();
        return;
      default:
        this.#release();
        this.#out.error(this.#progress.explain(this.#failure(effect)));
    }
  }

  #release(): void {
    this.#state = { kind: 'done' };
    this.#timer?.unsubscribe();
    this.#packets.unsubscribe();
    this.#handle.close();
  }

  #countSend(): void {
    this.#sends += 1;
    if (this.#sends === 1) return;
    const { peer } = this.#connection;
    const { requestTries: tries, replyRestarts, ackTimeout, replyTimeout } = this.#timing;
    const seconds = (this.#progress.isAcknowledged ? replyTimeout : ackTimeout) / 1_000;
    reportRetry(this.#connection, {
      what: 'request',
      peer: describePeer(peer),
      attempt: this.#sends,
      tries: tries * (1 + replyRestarts),
      reason: this.#progress.isAcknowledged
        ? `no reply within ${seconds} s`
        : `no acknowledgement within ${seconds} s`,
    });
  }

  #failure(effect: Extract<InitiatorEffect, { kind: 'refused' | 'timedOut' | 'failed' }>): unknown {
    const unanswered = { peer: this.#connection.peer, handle: this.#handle.number };
    const peer = describePeer(unanswered.peer);
    const context = { handle: unanswered.handle, peer, host: hostOf(unanswered.peer) };
    switch (effect.kind) {
      case 'failed':
        return this.#isAnswered ? effect.reason : brokenUnanswered(effect.reason, unanswered);
      case 'refused':
        return refusedWith(refusal(effect.packet.body).trimEnd(), context);
      case 'timedOut':
        return effect.waitingFor === 'ACK'
          ? neverAcknowledged(unanswered, this.#timing.requestTries)
          : new AmandaError(
              'REP_TIMEOUT',
              `${peer} sent no reply within ${this.#timing.replyTimeout / 1000} s; allow more time, or look at its debug log.`,
              context,
            );
    }
  }

  #closedEarly(): AmandaError {
    const peer = describePeer(this.#connection.peer);
    return new AmandaError(
      'CONNECTION_LOST',
      `${peer} closed the request's handle without an answer.`,
      { peer, handle: this.#handle.number },
    );
  }
}

interface RefusalContext {
  readonly peer: string;
  readonly handle: number;
  readonly host: string;
}

function refusedWith(words: string, { peer, handle, host }: RefusalContext): AmandaError {
  const message = words === '' ? 'The target refused the request without saying why.' : words;
  return new AmandaError('REFUSED', message, {
    peer,
    handle,
    advice: explain(words, host)?.advice,
  });
}
