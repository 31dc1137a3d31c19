import { executionAsyncId } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import {
  EMPTY,
  NEVER,
  ReplaySubject,
  concat,
  defer,
  finalize,
  from,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  reduce,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import type { Stream } from '../../connection/stream.js';
import { partialReply, reply, type Service, type ServiceReply } from '../../exchange/service.js';
import { dated, pattern, verifyPattern } from '../byte-pattern.js';

/** Bytes that each stream of the service `source` sends. */
export const SOURCE_BYTES = 64 * 1024 * 1024;

/** Bytes that each stream of the service `spring` sends: more than all buffers hold. */
export const SPRING_BYTES = 8 * 1024 * 1024;

/** The streams of the services `source` and `spring`. */
export const SOURCE_STREAMS = ['A', 'B', 'C', 'D', 'E'] as const;

/** Bytes that the streams of smaller services send: less than every budget. */
export const SOME_BYTES = 500_000;

/** Milliseconds of delay of the late services. */
export const LATE = 200;

/** How many of the services below run in this process, without `census`. */
let running = 0;

/**
 * Identifies a turn: the callbacks of one resource, such as a socket or a timer, in one iteration
 * of the event loop. Between two turns, other sockets have theirs.
 */
function currentTurn(): string {
  return `${performance.nodeTiming.uvMetricsInfo.loopCount} ${executionAsyncId()}`;
}

/** How many runs of `once` have begun, by arguments. */
const begun = new Map<string, number>();

const services: Readonly<Record<string, Service>> = {
  /** Replies with one line. */
  noop: () => of(reply({ lines: ['OPTIONS features=ff;'] })),
  /** Replies with the peer, as JSON. */
  whoami: ({ peer }) => of(reply({ lines: [JSON.stringify(peer)] })),
  /** Replies in parts. */
  partial: () => concat(of(partialReply(['one'])), of(reply({ lines: ['one', 'two'] }))),
  /** Replies with the turn of the event loop in which it began. */
  turn: () => of(reply({ lines: [currentTurn()] })),
  /** Fails before it replies. */
  fail: () => throwError(() => new Error('out of order')),
  /** Replies with its arguments. */
  arguments: ({ arguments: bytes }) => of({ kind: 'final', body: bytes }),
  /** Its check always refuses. */
  busy: Object.assign(() => NEVER, { check: () => of('come again tomorrow') }),
  /** Acknowledges late. */
  hesitant: Object.assign(() => of(reply()), {
    check: () => timer(LATE).pipe(map(() => undefined)),
  }),
  /** Replies late. */
  late: () => timer(LATE).pipe(map(() => reply())),
  /** Acknowledges late and replies late, with the count of its runs for these arguments. */
  once: Object.assign(
    ({ arguments: bytes }: { readonly arguments: Uint8Array }) => {
      const key = Buffer.from(bytes).toString('latin1');
      const count = (begun.get(key) ?? 0) + 1;
      begun.set(key, count);
      return timer(LATE).pipe(map(() => reply({ lines: [`run ${count}`] })));
    },
    { check: () => timer(LATE).pipe(map(() => undefined)) },
  ),
  /** Never acknowledges. */
  deaf: Object.assign(() => NEVER, { check: () => NEVER }),
  /** Never replies. */
  silent: () => NEVER,
  /** Sends back what it receives. */
  echo: () => of(reply({ streams: { IO: (incoming) => incoming } })),
  /** Sends back what it receives, on three streams. */
  echoes: () =>
    of(
      reply({
        streams: {
          A: (incoming) => incoming,
          B: (incoming) => incoming,
          C: (incoming) => incoming,
        },
      }),
    ),
  /** Sends five streams at once, as fast as possible. */
  source: () => of(sources(SOURCE_BYTES)),
  /** The same with fewer bytes. */
  spring: () => of(sources(SPRING_BYTES)),
  /** Sends a stream that contains the times when it was made. */
  dated: () => of(reply({ streams: { DATA: () => dated() } })),
  /** Sends an endless stream. */
  flood: () => of(reply({ streams: { DATA: () => pattern(0, Infinity) } })),
  /** Sends a complete stream, and one that never ends. */
  halfway: () =>
    of(
      reply({
        streams: {
          A: () => pattern(0, SOME_BYTES),
          B: () => merge(of(Buffer.from('half')), NEVER),
        },
      }),
    ),
  /** Sends some bytes and closes its direction, and reads nothing. */
  brief: () => of(reply({ streams: { IO: () => pattern(0, SOME_BYTES) } })),
  /** Sends some bytes after it has received and verified a whole stream. */
  answer: () =>
    of(
      reply({
        streams: {
          IO: (incoming) =>
            concat(verified(incoming).pipe(ignoreElements()), from(pattern(0, SOME_BYTES))),
        },
      }),
    ),
  /** Closes its direction of IN at once, reads it to the end, and sends its length on OUT. */
  sink: () => sink((incoming) => verified(incoming)),
  /** The same, but it begins to read late. */
  dam: () => sink((incoming) => timer(LATE).pipe(mergeMap(() => verified(incoming)))),
  /** Discards what it receives, and closes late. */
  discards: () =>
    of(
      reply({
        streams: {
          IO: (incoming) => {
            incoming.discard();
            return timer(LATE).pipe(map(() => Buffer.from('done')));
          },
        },
      }),
    ),
  /** Sends a little on each of two streams, then fails on one of them. */
  breaks: () =>
    of(
      reply({
        streams: {
          DATA: () =>
            concat(
              of(Buffer.from('half')),
              throwError(() => new Error('the disk is gone')),
            ),
          MESG: () => merge(of(Buffer.from('ok')), NEVER),
        },
      }),
    ),
};

/** The services of the target for {@link driverCompliance}: each has one behaviour. */
export const complianceServices: Readonly<Record<string, Service>> = {
  ...Object.fromEntries(
    Object.entries(services).map(([name, service]) => [name, counted(service)]),
  ),
  /** Replies with the number of running services. */
  census: () => of(reply({ lines: [`running ${running}`] })),
};

function counted(service: Service): Service {
  const run: Service = (request) =>
    defer(() => {
      running += 1;
      // Without completing, it runs until the streams of its request are over.
      return merge(service(request), NEVER).pipe(finalize(() => (running -= 1)));
    });
  return service.check === undefined ? run : Object.assign(run, { check: service.check });
}

function sources(length: number): ServiceReply {
  return reply({
    streams: Object.fromEntries(
      SOURCE_STREAMS.map((name, stream) => [name, () => pattern(stream, length)]),
    ),
  });
}

function sink(take: (incoming: Stream) => Observable<number>): ReturnType<Service> {
  const length = new ReplaySubject<Uint8Array>(1);
  const read = (incoming: Stream): Observable<never> => {
    take(incoming)
      .pipe(map((total) => Buffer.from(String(total))))
      .subscribe(length);
    return EMPTY;
  };
  return concat(
    of(reply({ streams: { OUT: () => length, IN: read } })),
    length.pipe(ignoreElements()),
  );
}

/** The length of a stream; errors when it is not the pattern of stream 0. */
function verified(incoming: Stream): Observable<number> {
  return incoming.pipe(reduce((at, chunk) => verifyPattern(0, at, chunk), 0));
}
