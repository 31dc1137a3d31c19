import { setImmediate as nextTick, setTimeout as wait } from 'node:timers/promises';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Flow } from '../../src/connection/receive-budget.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import { serveConnection, type ServiceEvent } from '../../src/target/serve.js';
import { packetBytes } from '../../src/testing/bytes.js';

/** Until the turn of the requests that have begun is over: a timer of 0 ms. */
const turn = (): Promise<void> => wait(2);

/**
 * A target to which a storm of requests has come in one piece: how many have begun, and how it
 * flows.
 */
function stormed(requests: number) {
  const [near, far] = memoryChannels();
  let isPaused = false;
  const [pause, resume] = [far.pause.bind(far), far.resume.bind(far)];
  far.pause = () => {
    isPaused = true;
    pause();
  };
  far.resume = () => {
    isPaused = false;
    resume();
  };
  const target = new TcpmConnection(far, { side: 'target', namesUser: false });
  const begun: number[] = [];
  target.incoming.subscribe(({ number, packets }) => {
    begun.push(number);
    packets.subscribe({ error: () => undefined });
  });
  near.write([
    Buffer.concat(
      Array.from({ length: requests }, (_, index) =>
        packetBytes(index + 1, 'REQ', 'SERVICE noop\nOPTIONS ;\n'),
      ),
    ),
  ]);
  return {
    near,
    target,
    begun,
    paused: () => isPaused,
    flow: (): Promise<Flow> => firstValueFrom(target.flow),
  };
}

describe('requests that come in a storm', () => {
  test('begin a few at a time, so that other connections have their turn between them', async () => {
    const { target, begun, paused, flow } = stormed(20);
    const counts = new Set([begun.length]);
    expect(paused()).toBe(true);
    while (begun.length < 20) {
      await nextTick();
      counts.add(begun.length);
    }
    expect([...counts]).toEqual([8, 16, 20]);
    expect(begun).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(paused()).toBe(false);
    expect(await flow()).toMatchObject({ paused: false, held: 0 });
    target.close();
  });

  test('of a peer that takes no answers are not even read', async () => {
    const [near, far] = memoryChannels();
    const events: ServiceEvent[] = [];
    const refused = (): number => events.filter(({ kind }) => kind === 'refused').length;
    serveConnection(new TcpmConnection(far, { side: 'target', namesUser: false }), {}).subscribe(
      (event) => events.push(event),
    );
    const many = Buffer.concat(
      Array.from({ length: 5_000 }, (_, index) =>
        packetBytes(index + 1, 'REQ', `SERVICE ${'x'.repeat(200)}\nOPTIONS ;\n`),
      ),
    );
    near.write([many]);
    let before = -1;
    for (let at = 0; at < 50 || refused() !== before; at += 1) {
      before = refused();
      await turn();
    }
    // As much as the channel takes, and no more.
    expect(refused()).toBeLessThan(2_000);
    near.bytes.subscribe();
    while (refused() < 5_000) await turn();
    near.close();
  });

  test('that one connection may have at once all begin', async () => {
    const { target, begun } = stormed(16);
    await turn();
    expect(begun).toHaveLength(16);
    target.close();
  });

  test('do not begin once the connection is over', async () => {
    const { target, begun } = stormed(20);
    target.close();
    await turn();
    await turn();
    expect(begun).toHaveLength(8);
  });
});
