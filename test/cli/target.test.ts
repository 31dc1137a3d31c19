import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { driverFor } from '../../src/cli/rx-amanda/driver-for.js';
import {
  chooseTarget,
  estimateTimingFor,
  estimatesIn,
  timingFor,
  type TargetChoice,
} from '../../src/cli/rx-amanda/target.js';
import { connect } from '../../src/initiator/connect.js';
import { request } from '../../src/exchange/request.js';

/** The arguments that a fake ssh, rsh or other command gets. */
async function wordsFor(target: TargetChoice, program: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-target-'));
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, program), '#!/bin/sh\necho "$*" >&2\nexit 255\n', { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:/bin`);
  const asked = lastValueFrom(connect(driverFor(target)).pipe(request('noop')));
  const failure: unknown = await asked.catch((error: unknown) => error);
  return /saying: (.*)\.$/.exec(String(failure))?.[1] ?? String(failure);
}

describe('a target', () => {
  it.each([
    [3_000, 2],
    [1_000, 1],
    [600_000, 20],
  ])(
    'over ssh within %i ms has ssh give up after %i s, while its reason is still awaited',
    async (timeout, seconds) => {
      expect(await wordsFor({ host: 'db1', auth: 'ssh', timeout }, 'ssh')).toContain(
        ` -o ConnectTimeout=${seconds} -- db1 `,
      );
    },
  );

  it('over rsh is reached by a command of the user', async () => {
    expect(await wordsFor({ host: 'db1', auth: 'rsh', rshCommand: 'krsh' }, 'krsh')).toBe(
      '-l backup db1 /usr/lib/amanda/amandad -auth=rsh',
    );
  });
});

describe('--auth', () => {
  it('is the same in capitals, as with Amanda', () => {
    expect(chooseTarget('db1', { auth: 'BsdTCP' }).auth).toBe('bsdtcp');
    expect(() => chooseTarget('db1', { auth: 'KRB5' })).toThrow('krb5 is not built');
  });
});

describe('--timeout', () => {
  it('leaves the times of Amanda alone when it is not given', () => {
    expect(timingFor(undefined)).toEqual({});
  });

  it('bounds each step by itself, with one try to connect and one to get the reply', () => {
    expect(timingFor(3_000)).toEqual({
      connectTimeout: 3_000,
      connectTries: 1,
      ackTimeout: 1_000,
      replyTimeout: 3_000,
      replyRestarts: 0,
    });
  });

  it('makes room for the tries of Amanda when it is long, and makes none of them longer', () => {
    expect(timingFor(600_000)).toEqual({
      connectTimeout: 20_000,
      connectTries: 3,
      ackTimeout: 10_000,
      replyTimeout: 600_000,
      replyRestarts: 0,
    });
    expect(timingFor(50_000)).toMatchObject({ connectTries: 2 });
  });
});

describe('etimeout', () => {
  const awaited = (etimeout: number, body: string, timeout?: number): unknown => {
    const at = { file: 'amanda.conf', line: 1 };
    const settings = { ctimeout: { value: 7, at }, etimeout: { value: etimeout, at } };
    const estimates = estimatesIn(Buffer.from(body));
    return estimateTimingFor({ host: 'db1', auth: 'bsdtcp', timeout, settings }, estimates)
      .replyTimeout;
  };
  const three = '<dle><level>0</level><level>1</level></dle><dle><level>0</level></dle>';

  it('is for each level of each DLE, and for all of them when it is negative', () => {
    expect([awaited(60, three), awaited(-60, three), awaited(60, '')]).toEqual([
      180_000, 60_000, 60_000,
    ]);
  });

  it('gives way to a limit of the command line', () => {
    expect(awaited(60, three, 5_000)).toBe(5_000);
  });
});
