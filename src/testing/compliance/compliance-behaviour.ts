import { fail } from 'node:assert/strict';
import {
  ReplaySubject,
  filter,
  firstValueFrom,
  ignoreElements,
  lastValueFrom,
  merge,
  reduce,
  tap,
  type Observable,
} from 'rxjs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Peer } from '../../transport/channel.js';
import type { Connection } from '../../connection/connection.js';
import type { Stream } from '../../connection/stream.js';
import { connect, type ConnectOptions } from '../../initiator/connect.js';
import type { Driver } from '../../drivers/driver.js';
import {
  request,
  type Reply,
  type RequestOptions,
  type ServiceRequest,
} from '../../exchange/request.js';
import type { AmandaErrorCode } from '../../wire/errors.js';
import type { Frame } from '../../wire/frame.js';
import { verifyPattern } from '../byte-pattern.js';

/** What a kind of driver cannot do. */
export interface ComplianceLimits {
  /**
   * The longest arguments and the longest reply, in bytes. A request of 65,536 bytes over this
   * limit fails with `DATAGRAM_TOO_LARGE`.
   */
  readonly requestBytes?: number;
  /**
   * Whether packets are lost silently, as datagrams are, so that only timeouts show. Default false.
   */
  readonly losesSilently?: boolean;
}

/** The peers, as far as they are known in advance. */
export interface CompliancePeers {
  /** The connection's `peer` on the initiator, besides the driver's name. */
  readonly target?: Partial<Peer>;
  /** The request's `peer` on the target, besides the driver's name. */
  readonly initiator?: Partial<Peer>;
}

/** What a behaviour runs on. */
export interface ComplianceSubject {
  readonly driver: Driver;
  /** A driver of the same kind that reaches no target. */
  readonly nowhere: Driver | undefined;
  readonly limits: ComplianceLimits;
  readonly peers: CompliancePeers;
  /** Breaks every open connection. */
  readonly cut: () => void;
}

/** The behaviours of every driver, by sentence. Each rejects when the driver behaves otherwise. */
export type Behaviours = Readonly<Record<string, (subject: ComplianceSubject) => Promise<void>>>;

/** A running request, whose stages can be awaited. */
export interface StartedRequest {
  /** Every reply, including earlier ones; errors and completes as the request does. */
  readonly replies: Observable<Reply>;
  /** The final reply. */
  readonly reply: Promise<Reply>;
  /** Resolves after such a packet; rejects when the request fails before. */
  readonly reached: (what: `${'sent' | 'received'} ${'REQ' | 'ACK'}`) => Promise<void>;
  readonly connection: Promise<Connection>;
  /** Unsubscribes. */
  readonly cancel: () => void;
}

/** Packets and replies that are replayed; a request of the suite has fewer. */
const REPLAYED = 16;

/** Connects and sends a request. */
export function startRequest(
  { driver }: Pick<ComplianceSubject, 'driver'>,
  service: string | ServiceRequest,
  options: RequestOptions & ConnectOptions = {},
): StartedRequest {
  const packets = new ReplaySubject<string>(REPLAYED);
  const connection = new ReplaySubject<Connection>(1);
  const replies = new ReplaySubject<Reply>(REPLAYED);
  const observe = (made: Connection): void => {
    const note =
      (direction: string) =>
      ({ payload }: Frame): void => {
        if (payload[0] === 0 || payload[0] === 3)
          packets.next(`${direction} ${payload[0] === 0 ? 'REQ' : 'ACK'}`);
      };
    made.subscribe({ next: note('received'), error: () => undefined });
    made.sent.subscribe(note('sent'));
    connection.next(made);
  };
  const asking = connect(driver, options)
    .pipe(tap(observe), request(service, options))
    .subscribe(replies);
  const failing = replies.pipe(ignoreElements());
  const final = firstValueFrom(replies.pipe(filter(({ kind }) => kind === 'final')));
  const connected = firstValueFrom(merge(connection, failing));
  // A caller that uses neither sees the failure in `replies`.
  for (const promise of [final, connected]) promise.catch(() => undefined);
  return {
    replies,
    reply: final,
    connection: connected,
    reached: async (what) => {
      await firstValueFrom(merge(packets.pipe(filter((seen) => seen === what)), failing));
    },
    cancel: () => {
      asking.unsubscribe();
    },
  };
}

/** Connects, sends a request, and waits for its end. Resolves with the final reply. */
export function ask(
  { driver }: Pick<ComplianceSubject, 'driver'>,
  service: string | ServiceRequest,
  options: RequestOptions = {},
): Promise<Reply> {
  return lastValueFrom(connect(driver).pipe(request(service, options)));
}

/**
 * Resolves when the target serves another connection and, unless `busy`, when no service runs
 * there. That takes a moment after the loss of a connection.
 */
export async function stillServes(
  subject: ComplianceSubject,
  { busy = false }: { readonly busy?: boolean } = {},
): Promise<void> {
  while ((await ask(subject, 'census')).lines[0] !== 'running 0' && !busy) await wait(5);
}

/** A stream of a reply. */
export function streamOf({ streams }: Reply, name: string): Stream {
  return streams[name] ?? fail(`no stream ${name}`);
}

/** Reads to the end; emits the length. Errors when the bytes are not a stream's pattern. */
export function verifiedLength(source: Observable<Uint8Array>, stream = 0): Observable<number> {
  return source.pipe(reduce((at, chunk) => verifyPattern(stream, at, chunk), 0));
}

/** Reads text to the end. */
export function readText(source: Observable<Uint8Array>): Promise<string> {
  return lastValueFrom(
    source.pipe(reduce((text, chunk) => text + Buffer.from(chunk).toString(), '')),
  );
}

/** For `rejects`: an error with one of these codes. */
export function isError(
  code: AmandaErrorCode | readonly AmandaErrorCode[],
  message = /./,
): (error: unknown) => true {
  return (error) => {
    const { code: actual, message: sentence } = error as {
      readonly code?: AmandaErrorCode;
      readonly message?: string;
    };
    const codes = [code].flat();
    if (actual === undefined || !codes.includes(actual) || !message.test(sentence ?? ''))
      fail(`expected ${codes.join(' or ')} ${message}, not ${String(error)}`);
    return true;
  };
}
