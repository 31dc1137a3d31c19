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

/** Bytes that each stream of the service `spring` sends: more than every buffer on the way holds. */
export const SPRING_BYTES = 8 * 1024 * 1024;

/** The streams of the services `source` and `spring`. */
export const SOURCE_STREAMS = ['A', 'B', 'C', 'D', 'E'] as const;

/** Bytes that the streams of smaller services send: below every budget, so that they can wait whole. */
export const SOME_BYTES = 500_000;

/** Milliseconds by which a service is late that is late. */
export const LATE = 200;

/** How many runs of the services below are going on in this process, `census` itself not among them. */
let running = 0;

/**
 * What calls this: a callback of one resource (a socket, an immediate, a timer) in one iteration of
 * the event loop. Other resources have their turn between two of them.
 */
function currentTurn(): string {
  return `${performance.nodeTiming.uvMetricsInfo.loopCount} ${executionAsyncId()}`;
}

/** How many runs of `once` have begun for the same arguments. */
const begun = new Map<string, number>();

const services: Readonly<Record<string, Service>> = {
  /** Replies with one line. */
  noop: () => of(reply({ lines: ['OPTIONS features=ff;'] })),
  /** Replies with what the target knows of the initiator, as JSON. */
  whoami: ({ peer }) => of(reply({ lines: [JSON.stringify(peer)] })),
  /** Replies in parts. */
  partial: () => concat(of(partialReply(['one'])), of(reply({ lines: ['one', 'two'] }))),
  /** Replies with the turn of the event loop in which it began. */
  turn: () => of(reply({ lines: [currentTurn()] })),
  /** Fails before it replies. */
  fail: () => throwError(() => new Error('out of order')),
  /** Replies with the arguments it got. */
  arguments: ({ arguments: bytes }) => of({ kind: 'final', body: bytes }),
  /** Is never ready to run. */
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
  /** Sends back what it gets. */
  echo: () => of(reply({ streams: { IO: (incoming) => incoming } })),
  /** Sends back what it gets, on three streams. */
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
  /** Sends five streams at once, as fast as they are taken. */
  source: () => of(sources(SOURCE_BYTES)),
  /** The same with less. */
  spring: () => of(sources(SPRING_BYTES)),
  /** Sends a stream that tells when it was made. */
  dated: () => of(reply({ streams: { DATA: () => dated() } })),
  /** Sends a stream that has no end. */
  flood: () => of(reply({ streams: { DATA: () => pattern(0, Infinity) } })),
  /** Sends one stream whole, and another one whose end never comes. */
  halfway: () =>
    of(
      reply({
        streams: {
          A: () => pattern(0, SOME_BYTES),
          B: () => merge(of(Buffer.from('half')), NEVER),
        },
      }),
    ),
  /** Sends some bytes and closes its direction, whatever comes. */
  brief: () => of(reply({ streams: { IO: () => pattern(0, SOME_BYTES) } })),
  /** Sends some bytes when all that comes has come and is right. */
  answer: () =>
    of(
      reply({
        streams: {
          IO: (incoming) =>
            concat(verified(incoming).pipe(ignoreElements()), from(pattern(0, SOME_BYTES))),
        },
      }),
    ),
  /** Closes its direction of IN at once, takes all that comes, and says on OUT how much it was. */
  sink: () => sink((incoming) => verified(incoming)),
  /** The same, but it does not begin to take before it is late. */
  dam: () => sink((incoming) => timer(LATE).pipe(mergeMap(() => verified(incoming)))),
  /** Takes nothing, and is late to close. */
  heedless: () =>
    of(reply({ streams: { IO: () => timer(LATE).pipe(map(() => Buffer.from('done'))) } })),
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

/**
 * What a target offers while the driver compliance suite asks it: each service is one behaviour.
 */
export const complianceServices: Readonly<Record<string, Service>> = {
  ...Object.fromEntries(
    Object.entries(services).map(([name, service]) => [name, counted(service)]),
  ),
  /** Replies with how many runs are going on here. */
  census: () => of(reply({ lines: [`running ${running}`] })),
};

function counted(service: Service): Service {
  const run: Service = (request) =>
    defer(() => {
      running += 1;
      // A run that does not complete goes on until the streams of its request are over.
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
  const said = new ReplaySubject<Uint8Array>(1);
  const taking = (incoming: Stream): Observable<never> => {
    take(incoming)
      .pipe(map((total) => Buffer.from(String(total))))
      .subscribe(said);
    return EMPTY;
  };
  return concat(
    of(reply({ streams: { OUT: () => said, IN: taking } })),
    said.pipe(ignoreElements()),
  );
}

/** The length of what came on a stream; errors when it is not the pattern of stream 0. */
function verified(incoming: Stream): Observable<number> {
  return incoming.pipe(reduce((at, chunk) => verifyPattern(0, at, chunk), 0));
}
