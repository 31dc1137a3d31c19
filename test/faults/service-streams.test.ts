import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forkJoin, from, last, lastValueFrom, map, mergeMap, of, type Subscription } from 'rxjs';
import { afterAll, expect, test } from 'vitest';
import { allowed } from '../../src/access/verdict.js';
import type { Stream } from '../../src/connection/stream.js';
import { bsdtcp, listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { request } from '../../src/exchange/request.js';
import { connect } from '../../src/initiator/connect.js';
import { processService } from '../../src/target/process/process-service.js';
import { serve } from '../../src/target/serve.js';

const BYTES = 40_000_000;
const NAMES = ['DATA', 'MESG', 'INDEX'] as const;
const host = '127.0.0.1';
const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-streams-'));
let target: Subscription | undefined;
afterAll(() => {
  target?.unsubscribe();
  rmSync(folder, { recursive: true });
});

/** A command that writes bytes which differ at each place and in each stream. */
const bytesOf = (index: number): string =>
  `openssl enc -aes-128-ctr -nosalt -K ${String(index + 1).repeat(32)} -iv 00 -in /dev/zero 2>/dev/null | head -c ${BYTES}`;

test('three streams of a service arrive as it wrote them, byte for byte', async () => {
  const executable = join(folder, 'service');
  const lines = NAMES.map((_, index) => `${bytesOf(index)} >&${150 + 2 * index} &`);
  const announced = NAMES.map((name, index) => `${name} ${150 + index}`).join(' ');
  writeFileSync(
    executable,
    `#!/bin/bash\ncat >/dev/null\nprintf 'CONNECT ${announced}\\nOPTIONS ;\\n'\nexec 1>&- 2>&-\n${lines.join('\n')}\nwait\n`,
    { mode: 0o755 },
  );
  const port = await new Promise<number>((resolve, reject) => {
    target = serve(
      listenBsdtcp({ host, port: 0, onListening: resolve }),
      { streams: processService(executable) },
      { authorize: () => of(allowed) },
    ).subscribe({ error: reject });
  });
  const digest = (stream: Stream) => {
    const hash = createHash('sha1');
    return from(stream).pipe(
      map((chunk) => hash.update(chunk)),
      last(),
      map(() => hash.digest('hex')),
    );
  };
  const received = await lastValueFrom(
    connect(bsdtcp({ host, port, reservedPorts: false })).pipe(
      request('streams'),
      mergeMap(({ streams }) => forkJoin(NAMES.map((name) => digest(streams[name] as Stream)))),
    ),
  );
  const written = NAMES.map((_, index) =>
    execFileSync('bash', ['-c', `${bytesOf(index)} | sha1sum`], { encoding: 'utf8' }).slice(0, 40),
  );
  expect(received).toEqual(written);
}, 60_000);
