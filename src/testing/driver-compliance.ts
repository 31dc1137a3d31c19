import { deepEqual, equal, fail, ok, rejects } from 'node:assert/strict';
import {
  concat,
  concatMap,
  delay,
  firstValueFrom,
  forkJoin,
  ignoreElements,
  last,
  lastValueFrom,
  map,
  mergeMap,
  of,
  reduce,
  tap,
  timer,
  toArray,
  type Observable,
} from 'rxjs';
import type { Connection } from '../connection/connection.js';
import type { Stream } from '../connection/stream.js';
import { connect } from '../drivers/connect.js';
import type { Driver } from '../drivers/driver.js';
import { request, type Reply } from '../exchange/request.js';
import type { AmandaErrorCode } from '../wire/errors.js';
import { SOURCE_BYTES, SOURCE_STREAMS, sourceByte } from './compliance-services.js';

/** A driver that reaches a target which serves `complianceServices`, and how to end that target. */
export interface ComplianceSetup {
  readonly driver: Driver;
  readonly stop: () => void | Promise<void>;
  /** What the driver cannot do by its nature; the suite asks for no more, and that more is refused. */
  readonly limits?: ComplianceLimits;
}

export interface ComplianceLimits {
  /** The longest arguments of a request, and the longest reply, in bytes; a request for which 65,536 are too many fails with `DATAGRAM_TOO_LARGE`. */
  readonly requestBytes?: number;
}

export interface ComplianceTest {
  /** A sentence that says the behaviour. */
  readonly name: string;
  readonly run: () => Promise<void>;
}

/**
 * What every driver must do, as tests for any runner. Each test calls `setup` for a fresh target and
 * stops it at its end.
 *
 *     for (const { name, run } of driverCompliance(setup)) test(name, run);
 */
export function driverCompliance(setup: () => ComplianceSetup | Promise<ComplianceSetup>): readonly ComplianceTest[] {
  return Object.entries(behaviours).map(([name, behaviour]) => ({
    name,
    run: async () => {
      const { driver, stop, limits = {} } = await setup();
      try {
        await behaviour(driver, limits);
      } finally {
        await stop();
      }
    },
  }));
}

const behaviours: Readonly<Record<string, (driver: Driver, limits: ComplianceLimits) => Promise<void>>> = {
  'a connection says who is at the other end': async (driver) => {
    const peer = await firstValueFrom(connect(driver).pipe(map((connection) => connection.peer)));
    equal(peer.driver, driver.name);
  },
  'a connection that is unsubscribed has ended': async (driver) => {
    const connection = await firstValueFrom(connect(driver));
    await lastValueFrom(connection.ended, { defaultValue: undefined });
  },
  'an attempt to connect can be cancelled at once': async (driver) => {
    connect(driver).subscribe().unsubscribe();
    await firstValueFrom(connect(driver));
  },
  'a request is answered': async (driver) => {
    equal((await ask(driver, 'noop')).text, 'OPTIONS features=ff;\n');
  },
  'the arguments of a request arrive byte for byte': async (driver, { requestBytes = 70_000 }) => {
    const body = Uint8Array.from({ length: Math.min(requestBytes, 70_000) }, (_, at) => (at % 255) + 1);
    const replies = connect(driver).pipe(request({ service: 'arguments', options: {}, body }));
    const { text } = await lastValueFrom(replies);
    equal(text, `OPTIONS \n${new TextDecoder().decode(body)}`);
  },
  'a request is never cut: one that the driver cannot carry is refused before it leaves': async (driver, { requestBytes = Infinity }) => {
    const asked = lastValueFrom(connect(driver).pipe(request({ service: 'noop', options: {}, body: new Uint8Array(65_536).fill(0x20) })));
    if (requestBytes >= 65_536) equal((await asked).kind, 'final');
    else await rejects(asked, isError('DATAGRAM_TOO_LARGE'));
  },
  'a partial reply comes before the final one': async (driver) => {
    const replies = await lastValueFrom(connect(driver).pipe(request('partial'), toArray()));
    deepEqual(
      replies.map(({ kind, lines }) => [kind, ...lines]),
      [
        ['partial', 'one'],
        ['final', 'one', 'two'],
      ],
    );
  },
  'a service that is not offered is refused by name': async (driver) => {
    await rejects(ask(driver, 'nosuch'), isError('REFUSED', /nosuch/));
  },
  'a service that fails before its reply says so in an ERROR line': async (driver) => {
    deepEqual((await ask(driver, 'fail')).errors, ['service fail: out of order']);
  },
  'requests go one after the other, and at once, over one connection': async (driver) => {
    const texts = await lastValueFrom(
      connect(driver).pipe(
        concatMap((connection) => {
          const noop = of(connection).pipe(request('noop'));
          return concat(noop, noop, forkJoin([noop, of(connection).pipe(request('arguments'))]).pipe(mergeMap((both) => both))).pipe(
            toArray(),
            ending(connection),
          );
        }),
      ),
    );
    equal(texts.length, 4);
  },
  'a stream carries bytes both ways, and each direction ends on its own': async (driver) => {
    const sent = Uint8Array.from({ length: 1_000_000 }, (_, at) => at % 251);
    const back = await stream(driver, 'echo', 'IO', (io) => {
      io.next(sent);
      io.complete();
      return io;
    });
    ok(Buffer.from(sent).equals(back));
  },
  'a stream that the target closes at once still takes bytes': async (driver) => {
    const replies = connect(driver).pipe(request('sink'));
    const said = replies.pipe(
      mergeMap(({ streams }) => {
        streams.IN?.subscribe({
          complete: () => {
            for (let sent = 0; sent < 10; sent += 1) streams.IN?.next(new Uint8Array(100_000));
            streams.IN?.complete();
          },
        });
        return bytesOf(streams.OUT);
      }),
    );
    equal((await lastValueFrom(said)).toString(), '1000000');
  },
  'five streams at once arrive whole, with one slow reader among them': async (driver) => {
    const sums = await lastValueFrom(
      connect(driver).pipe(
        request('source'),
        mergeMap(({ streams }) => forkJoin(SOURCE_STREAMS.map((name, at) => checked(streams[name], at)))),
      ),
    );
    deepEqual(
      sums,
      Array.from(SOURCE_STREAMS, () => SOURCE_BYTES),
    );
  },
  'a stream that is read late has lost nothing, and has held no more than its budget': async (driver) => {
    const receiveBudget = 262_144;
    let most = 0;
    const total = connect(driver, { receiveBudget }).pipe(
      request('source'),
      mergeMap(({ streams, connection }) => {
        for (const name of SOURCE_STREAMS.slice(1)) streams[name]?.discard();
        const flow = connection.flow.subscribe(({ held }) => (most = Math.max(most, held)));
        return timer(200).pipe(
          mergeMap(() => checked(streams.A, 0)),
          tap({
            finalize: () => {
              flow.unsubscribe();
            },
          }),
        );
      }),
    );
    equal(await lastValueFrom(total), SOURCE_BYTES);
    ok(most > receiveBudget / 2, `held ${most} bytes`);
    ok(most < receiveBudget + 2 * 65_536, `held ${most} bytes`);
  },
  'a stream whose source fails breaks, and never looks complete': async (driver) => {
    await rejects(
      stream(driver, 'breaks', 'DATA', (data) => data),
      isError('CONNECTION_LOST'),
    );
  },
  'unsubscribing in the middle of a stream ends the connection': async (driver) => {
    const reply = await firstValueFrom(connect(driver).pipe(request('endless')));
    await rejects(lastValueFrom(reply.streams.DATA ?? fail('no DATA')), isError('CONNECTION_CLOSED'));
    await rejects(lastValueFrom(reply.connection.ended), isError('CONNECTION_CLOSED'));
  },
  'a request that is not answered can be given up': async (driver) => {
    await rejects(lastValueFrom(connect(driver).pipe(request('silent', { replyTimeout: 50, replyRestarts: 0 }))), isError('REP_TIMEOUT'));
  },
};

function ask(driver: Driver, service: string): Promise<Reply> {
  return lastValueFrom(connect(driver).pipe(request(service)));
}

function stream(driver: Driver, service: string, name: string, use: (stream: Stream) => Observable<Uint8Array>): Promise<Buffer> {
  return lastValueFrom(
    connect(driver).pipe(
      request(service),
      mergeMap(({ streams }) => bytesOf(use(streams[name] ?? fail(`no stream ${name}`)))),
    ),
  );
}

function bytesOf(source: Observable<Uint8Array> | undefined): Observable<Buffer> {
  return (source ?? fail('no such stream')).pipe(
    toArray(),
    map((chunks) => Buffer.concat(chunks)),
  );
}

/** Reads a stream of `source` to its end, the last one slowly, and gives its length when every byte is right. */
function checked(source: Stream | undefined, number: number): Observable<number> {
  if (source === undefined) return fail(`no stream ${number}`);
  const slow = number === SOURCE_STREAMS.length - 1;
  return source
    .paced((chunk) => (slow ? of(chunk).pipe(delay(1)) : of(chunk)))
    .pipe(
      reduce((at, chunk) => {
        const wrong = chunk.findIndex((byte, index) => byte !== sourceByte(number, at + index));
        if (wrong >= 0) fail(`byte ${at + wrong} of stream ${number} is wrong`);
        return at + chunk.length;
      }, 0),
      last(undefined, 0),
    );
}

/** Ends a connection behind the values. */
function ending<T>(connection: Connection): (values: Observable<T>) => Observable<T> {
  return (values) =>
    concat(
      values,
      of(connection).pipe(
        tap(() => {
          connection.close();
        }),
        ignoreElements(),
      ),
    );
}

function isError(code: AmandaErrorCode, message = /./): { readonly code: AmandaErrorCode; readonly message: RegExp } {
  return { code, message };
}
