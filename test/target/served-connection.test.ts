import { lastValueFrom, of, type Observable } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import type { Connection } from '../../src/connection/connection.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import { request } from '../../src/exchange/request.js';
import { serveConnection } from '../../src/target/serve.js';
import { noopService } from '../../src/target/services/noop-service.js';

vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  userInfo: () => {
    throw new Error('no such user');
  },
}));

describe('a target whose process runs as a user without a name', () => {
  test('errors at the first request, because it has no .amandahosts; the request gets no answer', async () => {
    const [near, far] = memoryChannels();
    const initiator: Connection = new TcpmConnection(near, { side: 'initiator', user: 'backup' });
    const connection: Connection = new TcpmConnection(far, { side: 'target', namesUser: true });
    const target: Observable<unknown> = serveConnection(connection, { noop: noopService() });
    const served = expect(lastValueFrom(target)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    await expect(lastValueFrom(of(initiator).pipe(request('noop')))).rejects.toThrow();
    await served;
  });
});
