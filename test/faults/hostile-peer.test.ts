import { NEVER, Subject, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import { reply, type ServiceReply } from '../../src/exchange/service.js';
import { serveConnection, type ServiceEvent } from '../../src/target/serve.js';
import { packetBytes } from '../../src/testing/bytes.js';

describe('a target', () => {
  test('ends the connection of a peer that asks for ever and reads none of the answers', async () => {
    const [near, far] = memoryChannels();
    const events: ServiceEvent[] = [];
    const connection = new TcpmConnection(
      far,
      { side: 'target', namesUser: false },
      { gather: false, sendBudget: 1_000_000 },
    );
    serveConnection(connection, {}).subscribe((event) => events.push(event));
    const refused = packetBytes(1, 'REQ', 'SERVICE none\nOPTIONS ;\n');
    let asked = 0;
    // near.bytes has no subscriber, so the answers stay in the channel.
    for (; asked < 100_000 && events.at(-1)?.kind !== 'disconnected'; asked += 1) {
      near.write([refused]);
      if (asked % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    // It is not read from any more, long before its answers use up the send budget.
    const refusals = events.filter(({ kind }) => kind === 'refused').length;
    expect(refusals).toBeLessThan(5_000);
    expect(events.at(-1)?.kind).not.toBe('disconnected');
    near.close();
  });

  test('that has no room for the streams of a reply answers with an error, and serves on', () => {
    const [near, far] = memoryChannels();
    const replies = new Subject<ServiceReply>();
    const events: ServiceEvent[] = [];
    const said: string[] = [];
    near.bytes.subscribe((bytes) => said.push(Buffer.from(bytes).toString('latin1')));
    const connection = new TcpmConnection(
      far,
      { side: 'target', namesUser: false },
      { gather: false, maxHandles: 3 },
    );
    const services = {
      dump: () => replies,
      noop: () => of(reply({ lines: ['OPTIONS ;'] })),
      wait: () => NEVER,
    };
    serveConnection(connection, services).subscribe((event) => events.push(event));
    near.write([
      packetBytes(1, 'REQ', 'SERVICE dump\nOPTIONS ;\n'),
      packetBytes(2, 'REQ', 'SERVICE wait\nOPTIONS ;\n'),
    ]);
    replies.next(reply({ streams: { DATA: () => NEVER, MESG: () => NEVER } }));
    expect(said.join('')).toContain('ERROR service dump: The connection has 2 open handles');
    near.write([packetBytes(3, 'REQ', 'SERVICE noop\nOPTIONS ;\n')]);
    expect(said.at(-1)).toContain('OPTIONS ;\n');
    expect(events.some(({ kind }) => kind === 'disconnected')).toBe(false);
  });
});
