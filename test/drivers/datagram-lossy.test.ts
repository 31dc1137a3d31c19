import { userInfo } from 'node:os';
import { concat, concatMap, ignoreElements, lastValueFrom, map, mergeMap, of, toArray } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { authorize } from '../../src/access/authorize.js';
import { bsd, listenBsd } from '../../src/drivers/datagram/bsd.js';
import { bsdudp, listenBsdudp } from '../../src/drivers/datagram/bsdudp.js';
import { connect } from '../../src/initiator/connect.js';
import { request } from '../../src/exchange/request.js';
import { reply, type Service } from '../../src/exchange/service.js';
import { serve } from '../../src/target/serve.js';
import { badNetwork, openRelay, type Fates, type Relay } from '../support/lossy-relay.js';

const host = '127.0.0.1';
const user = userInfo().username;
/** Amanda's 10 s as some milliseconds, and enough tries for a network this bad. */
const patience = { ackTimeout: 25, requestTries: 60, replyTimeout: 2_000 };
const targetPatience = { replyAckTimeout: 25, replyTries: 60 };
const open: { close(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

const roles = {
  bsdudp: { driver: bsdudp, listen: listenBsdudp },
  bsd: { driver: bsd, listen: listenBsd },
};

/** A target that counts what it runs, reached over a network with these losses. */
async function targetBehind(
  name: keyof typeof roles,
  fates: Fates,
): Promise<{ relay: Relay; runs: string[]; driver: ReturnType<typeof bsd> }> {
  const runs: string[] = [];
  const counted =
    (service: Service): Service =>
    (incoming) => {
      runs.push(incoming.service);
      return service(incoming);
    };
  const services = {
    noop: counted(() => of(reply({ lines: ['OPTIONS features=ff;'] }))),
    echo: counted(() =>
      of(reply({ streams: { IO: (incoming) => incoming, SAYS: () => of(Buffer.from('hello')) } })),
    ),
  };
  const port = await new Promise<number>((resolve, reject) => {
    const listener = roles[name].listen({ host, port: 0, onListening: resolve });
    const rules = authorize({ rules: `localhost ${user} noop echo`, reservedPort: false });
    const serving = serve(listener, services, { ...targetPatience, authorize: rules }).subscribe({
      error: reject,
    });
    open.push({ close: () => serving.unsubscribe() });
  });
  const relay = await openRelay(port, fates);
  open.push(relay);
  return {
    relay,
    runs,
    driver: roles[name].driver({ host, port: relay.port, reservedPorts: false }),
  };
}

/** Lets through everything but the n-th datagram of a kind. */
function losing(kind: RegExp, ...lost: number[]): Fates {
  let count = 0;
  return (toTarget, text) =>
    kind.test(`${toTarget ? '>' : '<'} ${text}`) && lost.includes((count += 1)) ? [] : [0];
}

describe.each(['bsdudp', 'bsd'] as const)(
  '%s over a network that loses, doubles and delays',
  (name) => {
    test.each([1, 2, 3, 4, 5, 6, 7, 8])(
      '(seed %i) requests are answered, each is run once, and streams are whole',
      async (seed) => {
        const { runs, driver } = await targetBehind(name, badNetwork(seed));
        const sent = Uint8Array.from({ length: 100_000 }, (_, at) => at % 251);
        const echoed = await lastValueFrom(
          connect(driver).pipe(
            concatMap((connection) => {
              // Not the same twice: while the acknowledgement of the first is lost, the target
              // would take the second for its double.
              const noops = ['one', 'two'].map((hostname) =>
                of(connection).pipe(
                  request({ service: 'noop', options: { hostname } }, patience),
                  ignoreElements(),
                ),
              );
              const echo = of(connection).pipe(
                request('echo', patience),
                mergeMap(({ streams: { IO, SAYS } }) => {
                  SAYS?.discard();
                  IO?.next(sent);
                  IO?.complete();
                  return IO?.pipe(toArray()) ?? expect.unreachable();
                }),
                map((chunks) => Buffer.concat(chunks)),
              );
              return concat(...noops, echo).pipe(
                map((bytes) => {
                  connection.close();
                  return bytes;
                }),
              );
            }),
          ),
        );
        expect(Buffer.from(sent).equals(echoed)).toBe(true);
        expect(runs).toEqual(['noop', 'noop', 'echo']);
      },
    );

    test('a lost request is sent again, as it was', async () => {
      const { relay, runs, driver } = await targetBehind(name, losing(/^> Amanda \S+ REQ/, 1, 2));
      await lastValueFrom(connect(driver).pipe(request('noop', patience)));
      const requests = relay.seen.filter((line) => line.includes(' REQ '));
      expect(requests).toHaveLength(3);
      expect(new Set(requests).size).toBe(1);
      expect(runs).toEqual(['noop']);
    });

    test('a lost reply is sent again', async () => {
      const { runs, driver } = await targetBehind(name, losing(/^< Amanda \S+ REP/, 1, 2, 3));
      const { text } = await lastValueFrom(connect(driver).pipe(request('noop', patience)));
      expect(text).toBe('OPTIONS features=ff;\n');
      expect(runs).toEqual(['noop']);
    });

    test('a reply whose acknowledgement was lost is acknowledged again, though the request is over: its streams open', async () => {
      const { relay, driver } = await targetBehind(name, losing(/^> Amanda \S+ ACK/, 1, 2));
      const said = await lastValueFrom(
        connect(driver).pipe(
          request('echo', patience),
          mergeMap(({ streams: { IO, SAYS } }) => {
            IO?.discard();
            IO?.complete();
            return SAYS?.pipe(toArray()) ?? expect.unreachable();
          }),
        ),
      );
      expect(Buffer.concat(said).toString()).toBe('hello');
      expect(relay.seen.filter((line) => line.includes(' REP '))).toHaveLength(3);
    });
  },
);
