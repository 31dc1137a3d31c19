import { NEVER, connectable, filter, firstValueFrom, lastValueFrom, of, ReplaySubject } from 'rxjs';
import { expect, test } from 'vitest';
import { connect, type ConnectOptions } from '../../src/initiator/connect.js';
import { memory } from '../../src/drivers/memory.js';
import { request, type Reply } from '../../src/exchange/request.js';
import { reply } from '../../src/exchange/service.js';
import { serve } from '../../src/target/serve.js';

/**
 * A request with two streams, of which the target closes one at once and takes nothing on the
 * other; and how to break its connection.
 */
async function opened(options: ConnectOptions = {}) {
  const { driver, listener, ...wire } = memory();
  const serving = serve(
    listener,
    { two: () => of(reply({ streams: { A: () => NEVER, B: () => [] } })) },
    { receiveBudget: 1_000 },
  ).subscribe();
  const replies = connectable(connect(driver, options).pipe(request('two')), {
    connector: () => new ReplaySubject<Reply>(1),
  });
  const asking = replies.connect();
  const { streams } = await firstValueFrom(replies);
  const end = lastValueFrom(replies).finally(() => {
    serving.unsubscribe();
    asking.unsubscribe();
  });
  return { streams, end, cut: () => wire.cut() };
}

test('a request whose connection breaks says what broke it', async () => {
  const { end, cut } = await opened();
  cut();
  await expect(end).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
    message: 'The connection to target (memory) broke: it was cut.',
  });
});

test('a request whose connection this side has ended says why it has', async () => {
  const { streams, end } = await opened({ sendBudget: 10 });
  for (let sent = 0; sent < 8; sent += 1) streams.A?.next(new Uint8Array(300_000));
  await expect(end).rejects.toMatchObject({ code: 'SEND_BUDGET' });
});

test('what is being sent on one stream is not closed when another one is lost', async () => {
  const { streams, end, cut } = await opened();
  const ends = streams.B === undefined ? of() : streams.B.ends;
  await firstValueFrom(ends.pipe(filter(({ receiving }) => receiving === 'closed')));
  cut();
  expect(await lastValueFrom(ends)).toEqual({ receiving: 'closed', sending: 'lost' });
  await expect(end).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
});
