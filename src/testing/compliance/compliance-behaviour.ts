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

/** What a driver cannot do by its nature; the suite asks for no more, and that more is refused. */
export interface ComplianceLimits {
  /** The longest arguments of a request, and the longest reply, in bytes; a request for which 65,536 are too many fails with `DATAGRAM_TOO_LARGE`. */
  readonly requestBytes?: number;
  /** Whether packets are lost without anybody being told, as datagrams are: only timeouts tell then. Default false. */
  readonly losesSilently?: boolean;
}

/** What is known beforehand of who is at the other end. */
export interface CompliancePeers {
  /** What the connection's `peer` has on the initiator, besides the driver's name. */
  readonly target?: Partial<Peer>;
  /** What the request's `peer` has on the target, besides the driver's name. */
  readonly initiator?: Partial<Peer>;
}

/** What a behaviour is tried on. */
export interface Subject {
  readonly driver: Driver;
  /** A driver of the same kind to where there is no target. */
  readonly nowhere: Driver | undefined;
  readonly limits: ComplianceLimits;
  readonly peers: CompliancePeers;
  /** Breaks what is open. */
  readonly cut: () => void;
}

/** By the sentences that say them: what every driver must do. Each rejects when the driver does not. */
export type Behaviours = Readonly<Record<string, (subject: Subject) => Promise<void>>>;

/** A request under way, whose stages can be awaited. */
export interface Begun {
  /** Every reply, also those that came before; errors and completes as the request does. */
  readonly replies: Observable<Reply>;
  /** The final reply. */
  readonly reply: Promise<Reply>;
  /** Resolves when a packet of this kind has gone or come; rejects when the request fails before. */
  readonly reached: (what: `${'sent' | 'received'} ${'REQ' | 'ACK'}`) => Promise<void>;
  readonly connection: Promise<Connection>;
  /** Unsubscribes. */
  readonly cancel: () => void;
}

/** Packets and replies that are kept for those who ask later; a request of the suite has fewer. */
const KEPT = 16;

/** Connects and asks, and goes on while the caller looks on. */
export function begin(
  { driver }: Pick<Subject, 'driver'>,
  service: string | ServiceRequest,
  options: RequestOptions & ConnectOptions = {},
): Begun {
  const packets = new ReplaySubject<string>(KEPT);
  const connection = new ReplaySubject<Connection>(1);
  const replies = new ReplaySubject<Reply>(KEPT);
  const watch = (made: Connection): void => {
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
    .pipe(tap(watch), request(service, options))
    .subscribe(replies);
  const failing = replies.pipe(ignoreElements());
  const final = firstValueFrom(replies.pipe(filter(({ kind }) => kind === 'final')));
  const connected = firstValueFrom(merge(connection, failing));
  // Whoever does not look at them looks at the end of the replies.
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

/** Connects, asks, and waits for the end of it all. Gives the final reply. */
export function ask(
  { driver }: Pick<Subject, 'driver'>,
  service: string | ServiceRequest,
  options: RequestOptions = {},
): Promise<Reply> {
  return lastValueFrom(connect(driver).pipe(request(service, options)));
}

/**
 * Resolves when the target serves another connection and, unless `busy`, when no run of a service goes on there any more,
 * which takes a moment after the loss of a connection.
 */
export async function servesOn(
  subject: Subject,
  { busy = false }: { readonly busy?: boolean } = {},
): Promise<void> {
  while ((await ask(subject, 'census')).lines[0] !== 'running 0' && !busy) await wait(5);
}

/** A stream of a reply. */
export function streamOf({ streams }: Reply, name: string): Stream {
  return streams[name] ?? fail(`no stream ${name}`);
}

/** Reads to the end and gives the length, when all is the pattern of a stream. */
export function lengthOf(source: Observable<Uint8Array>, stream = 0): Observable<number> {
  return source.pipe(reduce((at, chunk) => verifyPattern(stream, at, chunk), 0));
}

/** Reads to the end; what comes is text. */
export function textOf(source: Observable<Uint8Array>): Promise<string> {
  return lastValueFrom(
    source.pipe(reduce((said, chunk) => said + Buffer.from(chunk).toString(), '')),
  );
}

/** For `rejects`: an error with one of these codes. */
export function isError(
  code: AmandaErrorCode | readonly AmandaErrorCode[],
  message = /./,
): (error: unknown) => true {
  return (error) => {
    const { code: actual, message: said } = error as {
      readonly code?: AmandaErrorCode;
      readonly message?: string;
    };
    const codes = [code].flat();
    if (actual === undefined || !codes.includes(actual) || !message.test(said ?? ''))
      fail(`expected ${codes.join(' or ')} ${message}, not ${String(error)}`);
    return true;
  };
}
