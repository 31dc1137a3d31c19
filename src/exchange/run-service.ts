import {
  EMPTY,
  concatWith,
  defer,
  filter,
  from,
  map,
  mergeMap,
  of,
  tap,
  throwError,
  type Observable,
  type ObservableInput,
} from 'rxjs';
import type { Connection } from '../connection/connection.js';
import { isInput } from '../operators/checked-input.js';
import { kindOfValue } from '../wire/arguments.js';
import { AmandaError } from '../wire/errors.js';
import { MOST_REPLY_BYTES, replyBody } from './reply-body.js';
import type { RunningStream } from './run-streams.js';
import type { IncomingRequest, Service, ServiceReply } from './service.js';

/** An answer of a service that is ready to be sent. */
export interface PreparedReply {
  readonly kind: 'partial' | 'final';
  /** The whole text of the packet. */
  readonly body: Uint8Array;
  /** The streams that the text names. */
  readonly names: readonly string[];
  /** Those of them that exist. */
  readonly streams: readonly RunningStream[];
}

/**
 * Runs a service for one request.
 *
 *     service  -p---f---x-|      p: a partial reply  f: the final one  x: ignored
 *     out      -p----f----|      f has its streams, and the CONNECT line that names them
 *
 * Errors with what the service errors with, and when it completes without a final reply or gives
 * one that cannot be sent. A partial reply over one packet is left out: the final one repeats it.
 */
export function runService(
  service: Service,
  request: IncomingRequest,
  connection: Connection,
): Observable<PreparedReply> {
  return defer(() => {
    let isAnswered = false;
    return from(repliesOf(service(request))).pipe(
      tap(checkReply),
      filter(() => !isAnswered),
      tap(({ kind }) => {
        isAnswered = kind === 'final';
      }),
      concatWith(
        defer(() =>
          isAnswered
            ? EMPTY
            : throwError(() => new AmandaError('SERVICE_FAILED', 'it ended without a reply')),
        ),
      ),
      mergeMap((reply) => prepare(reply, connection)),
    );
  });
}

/** The replies of a service. Throws `BAD_ARGUMENT` for anything else. */
function repliesOf(given: ObservableInput<ServiceReply>): ObservableInput<ServiceReply> {
  if (isInput(given)) return given;
  throw new AmandaError(
    'BAD_ARGUMENT',
    isReply(given)
      ? 'it returned a reply instead of an Observable of it, such as of(reply)'
      : `it returned ${kindOfValue(given)} instead of an Observable of replies`,
  );
}

function isReply(given: unknown): given is ServiceReply {
  const { kind, body } = (given ?? {}) as Partial<ServiceReply>;
  return (kind === 'partial' || kind === 'final') && ArrayBuffer.isView(body);
}

function checkReply(given: ServiceReply): void {
  if (!isReply(given))
    throw new AmandaError('BAD_ARGUMENT', `it emitted ${kindOfValue(given)} instead of a reply`);
  const { streams = {} } = given;
  for (const [name, handler] of Object.entries(streams))
    if (handler !== undefined && typeof handler !== 'function')
      throw new AmandaError(
        'BAD_ARGUMENT',
        `the handler of its stream ${name} is ${kindOfValue(handler)}, not a function`,
      );
}

function prepare(
  { kind, body, streams = {} }: ServiceReply,
  connection: Connection,
): Observable<PreparedReply> {
  if (kind === 'partial')
    return body.length > MOST_REPLY_BYTES ? EMPTY : of({ kind, body, names: [], streams: [] });
  const names = Object.keys(streams);
  const present = Object.entries(streams).flatMap(([name, handler]) =>
    handler === undefined ? [] : [{ name, handler }],
  );
  const announced = present.length === 0 ? of([]) : connection.announce(present.length);
  return announced.pipe(
    map((fresh) => {
      const running = present.flatMap((one, index) => {
        const stream = fresh[index];
        return stream === undefined ? [] : [{ ...one, stream }];
      });
      return { kind, body: finalBody(names, running, body), names, streams: running };
    }),
  );
}

/** The text with its CONNECT line. Closes the streams when that cannot be sent. */
function finalBody(
  names: readonly string[],
  streams: readonly RunningStream[],
  text: Uint8Array,
): Uint8Array {
  const handleOf = (name: string) => streams.find((one) => one.name === name)?.stream.handle;
  try {
    return replyBody(
      names.map((name) => ({ name, handle: handleOf(name) })),
      text,
    );
  } catch (error) {
    for (const { stream } of streams) stream.complete();
    throw error;
  }
}
