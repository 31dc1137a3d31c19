import { EMPTY, NEVER, ReplaySubject, concat, ignoreElements, map, merge, of, reduce, throwError, type Observable } from 'rxjs';
import type { Stream } from '../connection/stream.js';
import { partialReply, reply, type Service } from '../exchange/service.js';

/** Bytes that each stream of the service `source` sends. */
export const SOURCE_BYTES = 8 * 1024 * 1024;

/** The streams of the service `source`. */
export const SOURCE_STREAMS = ['A', 'B', 'C', 'D', 'E'] as const;

/** The n-th byte of stream s of `source` is (n + s) mod 251: no frame or chunk size divides 251. */
export function sourceByte(stream: number, at: number): number {
  return (at + stream) % 251;
}

/**
 * What a target offers while the driver compliance suite asks it: each service is one behaviour.
 */
export const complianceServices: Readonly<Record<string, Service>> = {
  /** Replies with one line. */
  noop: () => of(reply({ lines: ['OPTIONS features=ff;'] })),
  /** Replies in parts. */
  partial: () => concat(of(partialReply(['one'])), of(reply({ lines: ['one', 'two'] }))),
  /** Fails before it replies. */
  fail: () => throwError(() => new Error('out of order')),
  /** Replies with the arguments it got. */
  arguments: ({ arguments: bytes }) => of({ kind: 'final', body: bytes }),
  /** Sends back what it gets. */
  echo: () => of(reply({ streams: { IO: (incoming) => incoming } })),
  /** Sends five streams at once, as fast as they are taken. */
  source: () => of(reply({ streams: Object.fromEntries(SOURCE_STREAMS.map((name, stream) => [name, () => pattern(stream)])) })),
  /** Closes its direction of IN at once, takes all that comes, and says on OUT how much it was. */
  sink: () => {
    const said = new ReplaySubject<Uint8Array>(1);
    const take = (incoming: Stream): Observable<never> => {
      incoming
        .pipe(
          reduce((total, bytes) => total + bytes.length, 0),
          map((total) => Buffer.from(String(total))),
        )
        .subscribe(said);
      return EMPTY;
    };
    return concat(of(reply({ streams: { OUT: () => said, IN: take } })), said.pipe(ignoreElements()));
  },
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
  /** Announces a stream and never ends it. */
  endless: () => of(reply({ streams: { DATA: () => NEVER } })),
  /** Never replies. */
  silent: () => NEVER,
};

const CHUNK = 65_536;

async function* pattern(stream: number): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  // Long enough for a chunk from any phase of the pattern.
  const bytes = Uint8Array.from({ length: CHUNK + 251 }, (_, at) => sourceByte(stream, at));
  for (let at = 0; at < SOURCE_BYTES; at += CHUNK) yield bytes.subarray(at % 251, (at % 251) + CHUNK);
}
