import {
  EMPTY,
  concat,
  concatMap,
  defer,
  dematerialize,
  exhaustMap,
  filter,
  forkJoin,
  map,
  materialize,
  mergeMap,
  of,
  take,
  throwError,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import { describePeer } from '../transport/channel.js';
import type { Connection } from '../connection/connection.js';
import type { Stream } from '../connection/stream.js';
import { failAfter } from '../operators/fail-after.js';
import { AmandaError } from '../wire/errors.js';
import { checkOptions } from '../wire/arguments.js';
import { Features } from '../wire/features.js';
import { Options, formatOptions, type OptionFields } from '../wire/options.js';
import { parseReply } from '../wire/reply.js';
import { encodeRequest } from '../wire/request.js';
import { encodeText } from '../wire/text.js';
import { asCallOn } from './calls.js';
import { exchange, type Answer } from './exchange.js';
import { RequestProgress } from './request-progress.js';
import { timingWith, type Timing } from './timing.js';

/** What is asked of a target. */
export interface ServiceRequest {
  /** Its name: 1 to 64 small letters, digits, `-` and `_`. */
  readonly service: string;
  /** The OPTIONS line. Default: our features and nothing else. */
  readonly options?: OptionFields;
  /** What follows the OPTIONS line: lines of text, DLEs. Default nothing. */
  readonly body?: string | Uint8Array;
}

/** Options of {@link request}: times in milliseconds, and how often it is sent. */
export interface RequestOptions extends Partial<
  Pick<Timing, 'ackTimeout' | 'requestTries' | 'replyTimeout' | 'replyRestarts' | 'restartsUntil'>
> {
  /** The name on the SECURITY line, if the driver has one. Default: the driver's. */
  readonly user?: string;
  /**
   * Milliseconds from the subscription to the end of the last stream of the reply, whatever takes
   * the time; then it errors with `DEADLINE`. Default: none.
   */
  readonly deadline?: number;
}

/** What the target answers. */
export interface Reply {
  /** A partial reply (PREP) is followed by another one; the final reply (REP) is the last. */
  readonly kind: 'partial' | 'final';
  /** The OPTIONS line; empty when absent. */
  readonly options: Options;
  /** The ERROR lines, without that word. */
  readonly errors: readonly string[];
  /** All lines but CONNECT, OPTIONS and ERROR. */
  readonly lines: readonly string[];
  /** The whole text as it came. */
  readonly text: string;
  /** The streams by their names in the CONNECT line, without those that it gave as −1. */
  readonly streams: Readonly<Record<string, Stream>>;
  /** The connection that brought it. */
  readonly connection: Connection;
}

/**
 * Asks a service of the target at the other end of the source's connection.
 *
 *     source   -C--------------|      C: the Connection
 *     replies  -----p---f----|        p: a partial reply  f: the final one, with its streams
 *
 * Completes when the target has closed every stream of the reply or this side has dropped it; then
 * this side's directions close too. The connection is held until then, so keep the subscription
 * while reading streams (`mergeMap`, not `firstValueFrom`). Only the first connection of the source
 * is used.
 *
 * Errors with `REFUSED`, `ACK_TIMEOUT`, `REP_TIMEOUT`, `BAD_REPLY`, with `BAD_ARGUMENT` for a
 * request that cannot be sent, and with what broke the connection. ERROR lines in a reply are
 * values. Source: PROTOCOL.md, "The exchange: initiator".
 *
 * @example
 * ```ts
 * import { bsdtcp, connect, request } from 'rx-amanda';
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(request({ service: 'noop', options: { hostname: 'db1.example.com' } }))
 *   .subscribe((reply) => console.log(reply.kind, reply.lines));
 * ```
 */
export function request(
  service: string | ServiceRequest,
  options: RequestOptions = {},
): OperatorFunction<Connection, Reply> {
  const asked = typeof service === 'string' ? { service } : service;
  checkOptions('request', asked, { service: 'name' });
  // The result ends with the exchange while the connection goes on, so the end travels as a value.
  return (connections) =>
    defer(() => {
      const progress = new RequestProgress();
      let peer: string | undefined;
      return connections.pipe(
        exhaustMap((connection) => {
          peer = describePeer(connection.peer);
          return ask(connection, asked, options, progress).pipe(
            asCallOn(connection),
            materialize(),
          );
        }),
        dematerialize(),
        failAfter(options.deadline, () => tooLate(asked, options, peer, progress)),
      );
    });
}

function tooLate(
  { service }: ServiceRequest,
  { deadline = 0 }: RequestOptions,
  peer: string | undefined,
  progress: RequestProgress,
): AmandaError {
  const limit = `within ${deadline / 1_000} s`;
  const { partialReply } = progress;
  if (peer === undefined)
    return new AmandaError('DEADLINE', `There was no connection for ${service} ${limit}.`);
  const what = progress.isReplied ? 'replied, and its streams are open' : progress.done;
  return new AmandaError(
    'DEADLINE',
    `The ${service} of ${peer} was not over ${limit}: it ${what}.`,
    {
      peer,
      partialReply,
    },
  );
}

function ask(
  connection: Connection,
  asked: ServiceRequest,
  options: RequestOptions,
  progress: RequestProgress,
): Observable<Reply> {
  const user = connection.namesUser ? (options.user ?? connection.user) : undefined;
  return defer(() => exchange(connection, bodyOf(asked, user), timingWith(options), progress)).pipe(
    map((answer) => toReply(answer, connection)),
    concatMap((reply) =>
      reply.kind === 'final' ? concat(of(reply), untilArrived(reply)) : of(reply),
    ),
  );
}

function bodyOf(
  { service, options = { features: Features.amanda351 }, body = '' }: ServiceRequest,
  user: string | undefined,
): Uint8Array {
  return encodeRequest({
    user,
    service,
    arguments: Buffer.concat([encodeText(formatOptions(options)), encodeText(body)]),
  });
}

function toReply({ kind, packet }: Answer, connection: Connection): Reply {
  const { connect, options = new Options(), errors, lines, text } = parseReply(packet.body);
  const streams = connect.flatMap(({ name, handle }) =>
    handle === undefined ? [] : [[name, connection.stream(handle)] as const],
  );
  return { kind, options, errors, lines, text, streams: Object.fromEntries(streams), connection };
}

/** Completes when nothing more arrives on a reply's streams, and closes this side's directions. */
function untilArrived({ streams, connection }: Reply): Observable<never> {
  const all = Object.values(streams);
  const arrived = all.map(({ ends }) =>
    ends.pipe(
      filter(({ receiving }) => receiving !== 'open'),
      take(1),
    ),
  );
  return forkJoin(arrived).pipe(
    mergeMap((ends) => {
      // A loss on one stream must not look complete on another; the connection knows its reason.
      if (ends.some(({ receiving }) => receiving === 'lost'))
        return concat(
          connection.ended,
          throwError(() => lostEarly(connection)),
        );
      for (const stream of all) stream.complete();
      return EMPTY;
    }),
  );
}

function lostEarly({ peer }: Connection): AmandaError {
  return new AmandaError(
    'CONNECTION_LOST',
    `The connection to ${describePeer(peer)} ended before all streams were closed.`,
    { peer: describePeer(peer) },
  );
}
