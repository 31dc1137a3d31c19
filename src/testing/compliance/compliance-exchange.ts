import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  catchError,
  concat,
  concatMap,
  firstValueFrom,
  forkJoin,
  ignoreElements,
  lastValueFrom,
  map,
  mergeMap,
  of,
  tap,
  throwError,
  toArray,
  type Observable,
} from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import { connect } from '../../initiator/connect.js';
import { request } from '../../exchange/request.js';
import { isAmandaError } from '../../wire/errors.js';
import { decodeText } from '../../wire/text.js';
import { ask, isError, type Behaviours } from './compliance-behaviour.js';

/** The exchange of packets with each of its outcomes. */
export const exchanging: Behaviours = {
  'a request is answered': async (subject) => {
    equal((await ask(subject, 'noop')).text, 'OPTIONS features=ff;\n');
  },
  'the arguments of a request arrive byte for byte': async (subject) => {
    const length = Math.min(subject.limits.requestBytes ?? Infinity, 70_000);
    const body = Uint8Array.from({ length }, (_, at) => (at % 255) + 1);
    const { text } = await ask(subject, { service: 'arguments', options: {}, body });
    equal(text, `OPTIONS \n${decodeText(body)}`);
  },
  'a request that the driver cannot carry is refused before it is sent, and never cut': async (
    subject,
  ) => {
    const asked = ask(subject, {
      service: 'noop',
      options: {},
      body: new Uint8Array(65_536).fill(0x20),
    });
    if ((subject.limits.requestBytes ?? Infinity) >= 65_536) equal((await asked).kind, 'final');
    else await rejects(asked, isError('DATAGRAM_TOO_LARGE'));
  },
  'a partial reply comes before the final one': async ({ driver }) => {
    const replies = await lastValueFrom(connect(driver).pipe(request('partial'), toArray()));
    deepEqual(
      replies.map(({ kind, lines }) => [kind, ...lines]),
      [
        ['partial', 'one'],
        ['final', 'one', 'two'],
      ],
    );
  },
  'a service that is not offered is refused by name': async (subject) => {
    await rejects(ask(subject, 'nosuch'), isError('REFUSED', /nosuch/));
  },
  'a service that cannot run refuses with its reason': async (subject) => {
    await rejects(ask(subject, 'busy'), isError('REFUSED', /come again tomorrow/));
  },
  'a service that fails before its reply says so in an ERROR line': async (subject) => {
    deepEqual((await ask(subject, 'fail')).errors, ['service fail: the service failed']);
  },
  'a request that is not acknowledged is given up after its tries': async (subject) => {
    await rejects(
      ask(subject, 'deaf', { ackTimeout: 20, requestTries: 3 }),
      isError('ACK_TIMEOUT', /3 times/),
    );
  },
  'a request that is not answered can be given up': async (subject) => {
    await rejects(
      ask(subject, 'silent', { replyTimeout: 50, replyRestarts: 0 }),
      isError('REP_TIMEOUT'),
    );
  },
  'a repeated request runs once, and is answered once': async ({ driver }) => {
    const asked = { service: 'once', options: {}, body: randomUUID() };
    const repeating = { ackTimeout: 20, requestTries: 500, replyTimeout: 20, replyRestarts: 500 };
    let sent = 0;
    const replies = await lastValueFrom(
      connect(driver).pipe(
        tap((connection) =>
          connection.sent.subscribe(({ payload }) => (sent += payload[0] === 0 ? 1 : 0)),
        ),
        request(asked, repeating),
        toArray(),
      ),
    );
    deepEqual(
      replies.map(({ lines }) => lines),
      [['run 1']],
    );
    equal(sent > 4, true, `the request was sent ${sent} times`);
  },
  'of 20 requests at once on one connection, a few begin in each turn of the event loop': async ({
    driver,
    limits,
  }) => {
    const turns = await firstValueFrom(
      connect(driver).pipe(
        concatMap((connection) => {
          // After one request the peer has a name, and the others need not wait for it.
          const noop = of(connection).pipe(request('noop'), ignoreElements());
          const asked = Array.from({ length: 20 }, (_, number) => turnOf(connection, number));
          return concat(noop, forkJoin(asked)).pipe(ending(connection));
        }),
      ),
    );
    const begun = turns.filter((turn) => turn !== undefined);
    const sizes = begun.map((turn) => begun.filter((other) => other === turn).length);
    ok(begun.length >= 16, `${begun.length} requests began`);
    // Each datagram is a read of its own, so datagrams have no turns.
    if (limits.losesSilently !== true)
      ok(Math.max(...sizes) <= 8, `${Math.max(...sizes)} requests began in one turn`);
  },
  'requests run in sequence, and at once, over one connection': async ({ driver }) => {
    const texts = await firstValueFrom(
      connect(driver).pipe(
        concatMap((connection) => {
          const noop = of(connection).pipe(request('noop'));
          const both = forkJoin([noop, of(connection).pipe(request('arguments'))]).pipe(
            mergeMap((values) => values),
          );
          return concat(noop, noop, both).pipe(toArray(), ending(connection));
        }),
      ),
    );
    equal(texts.length, 4);
  },
};

/** The turn in which a request begins; undefined when the target has too many at once. */
function turnOf(connection: Connection, number: number): Observable<string | undefined> {
  return of(connection).pipe(
    request({ service: 'turn', options: {}, body: String(number) }),
    map(({ lines }) => lines[0]),
    catchError((error: unknown) =>
      isAmandaError(error, 'REFUSED') ? of(undefined) : throwError(() => error),
    ),
  );
}

/** Ends a connection after the values. */
function ending<T>(connection: Connection): (values: Observable<T>) => Observable<T> {
  const end = of(connection).pipe(
    tap(() => {
      connection.close();
    }),
    ignoreElements(),
  );
  return (values) => concat(values, end);
}
