import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catchError, forkJoin, last, lastValueFrom, map, of, type Observable } from 'rxjs';
import { afterAll, expect, test } from 'vitest';
import type { Connection } from '../../src/connection/connection.js';
import { bsdtcp } from '../../src/drivers/bsdtcp.js';
import { connect } from '../../src/initiator/connect.js';
import { onConnection } from '../../src/initiator/on-connection.js';
import { receiveDump } from '../../src/initiator/receive-dump.js';
import { sendbackup } from '../../src/initiator/sendbackup.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { isAmandaError } from '../../src/wire/errors.js';
import { Target, besides, told } from './load/program.js';

const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-limit-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A target drops a request that is the same as one that runs, so each excludes another name. */
const dle = (number: number): Dle => ({
  program: 'GNUTAR',
  disk: folder,
  index: true,
  levels: [{ level: 0 }],
  exclude: { files: [`./none-${number}`], lists: [], optional: false },
});
const CONNECTIONS = 14;
const REQUESTS = 16;

/** `ok`, or the code of the error that a dump ends with. */
const outcome = (connection: Connection, number: number): Observable<string> =>
  of(connection).pipe(
    sendbackup({ dle: dle(number) }),
    receiveDump(() => ({ data: () => of(undefined) })),
    last(),
    map(() => 'ok'),
    catchError((error: unknown) =>
      of(isAmandaError(error) ? error.code : `not ours: ${String(error)}`),
    ),
  );

/** Starts a target that may open only so many descriptors. */
async function limitedTarget(descriptors: number): Promise<Target> {
  const script = `ulimit -n ${descriptors}; exec "$0" "$@"`;
  const words = [process.execPath, besides('dumping-target.mjs'), folder];
  const child = spawn('/bin/sh', ['-c', script, ...words], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const { port } = await told(child, 'listening');
  return new Target(child, Number(port));
}

test(
  'a target survives more dumps at once than it has descriptors for, and dumps again after that',
  { timeout: 120_000 },
  async () => {
    writeFileSync(join(folder, 'file'), Buffer.alloc(2_000_000, 'x'));
    const target = await limitedTarget(200);
    try {
      const dumps = (requests: number): Observable<readonly string[]> =>
        connect(bsdtcp({ host: '127.0.0.1', port: target.port, reservedPorts: false })).pipe(
          onConnection((connection) =>
            forkJoin(Array.from({ length: requests }, (_, number) => outcome(connection, number))),
          ),
        );
      expect(await lastValueFrom(dumps(1))).toEqual(['ok']);
      const idle = target.descriptors();
      const all = await lastValueFrom(
        forkJoin(Array.from({ length: CONNECTIONS }, () => dumps(REQUESTS))),
      );
      const counts = new Map<string, number>();
      for (const came of all.flat()) counts.set(came, (counts.get(came) ?? 0) + 1);
      console.log(
        `${CONNECTIONS} × ${REQUESTS} dumps with 200 descriptors: ${[...counts].map(([came, count]) => `${came} ${count}`).join(', ')}`,
      );
      expect(all.flat()).toHaveLength(CONNECTIONS * REQUESTS);
      // A connection that comes while there is no descriptor for it is closed by libuv: lost. A
      // request is refused while .amandahosts cannot be opened.
      for (const came of counts.keys())
        expect(came).toMatch(/^(ok|SERVICE_FAILED|CONNECTION_LOST|REFUSED)$/);
      expect(counts.get('SERVICE_FAILED')).toBeGreaterThan(0);
      expect(target.isRunning).toBe(true);
      expect(await lastValueFrom(dumps(1))).toEqual(['ok']);
      await expect
        .poll(() => [target.descriptors() <= idle, target.children()], { timeout: 20_000 })
        .toEqual([true, 0]);
    } finally {
      await target.stop();
    }
  },
);
