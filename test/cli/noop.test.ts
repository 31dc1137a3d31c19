import { EMPTY, of, throwError } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { reply } from '../../src/exchange/service.js';
import { AmandaError } from '../../src/wire/errors.js';
import { fakeEnvironment } from './fake-environment.js';

describe('rx-amanda noop', () => {
  const services = { noop: () => of(reply({ lines: ['OPTIONS features=ff01;colour=r\u001bd;'] })) };

  it('prints the target and its features, with nothing that moves a terminal', async () => {
    const fake = fakeEnvironment({ services });
    expect(await main(['noop', 'one'], fake.environment)).toBe(0);
    const [first, second, third, ...rest] = fake.out().split('\n');
    expect(first).toMatch(/^target \(memory\) answers, after \d\.\d\d s\.$/);
    expect(second).toBe('features  9 of the 149 that we know: ff01');
    expect(third).toMatch(/^missing {3}131 that Amanda 3\.5\.1 has: /);
    expect(rest).toEqual(['colour  r\\x1bd', '']);
    expect(fake.err()).toBe('');
  });

  it('says the same as one JSON document', async () => {
    const fake = fakeEnvironment({ services });
    expect(await main(['noop', 'one', '--json'], fake.environment)).toBe(0);
    expect(JSON.parse(fake.out())).toMatchObject({
      peer: { driver: 'memory', host: 'target' },
      features: { hex: 'ff01', count: 9 },
      options: { colour: 'r\u001bd' },
      milliseconds: expect.any(Number) as number,
    });
  });

  it('ends with exit code 1 when the target refuses', async () => {
    const fake = fakeEnvironment();
    expect(await main(['noop', 'one'], fake.environment)).toBe(1);
    expect([fake.out(), fake.err()]).toEqual([
      '',
      "rx-amanda: noop: invalid service, add 'noop' as argument to amandad\n",
    ]);
  });

  it('puts the error into the JSON document', async () => {
    const fake = fakeEnvironment();
    expect(await main(['noop', 'one', '--json'], fake.environment)).toBe(1);
    expect(JSON.parse(fake.out())).toEqual({
      error: {
        code: 'REFUSED',
        message: "noop: invalid service, add 'noop' as argument to amandad",
        peer: 'target (memory)',
        handle: 1,
      },
    });
  });

  it('explains what a refusal means, and in the JSON document too', async () => {
    const refusing = Object.assign(() => EMPTY, { check: () => of('unknown service: noop') });
    for (const more of [[], ['--json']]) {
      const fake = fakeEnvironment({ services: { noop: refusing } });
      expect(await main(['noop', 'one', ...more], fake.environment)).toBe(1);
      expect(fake.err() + fake.out()).toMatch(
        /unknown service: noop\. target runs an Amanda from before features .* one line of text/,
      );
    }
  });

  it.each([[['OPTIONS ;']], [[]]])(
    'says of a client from before features what it reads: %j',
    async (lines) => {
      const fake = fakeEnvironment({ services: { noop: () => of(reply({ lines })) } });
      expect(await main(['noop', 'one'], fake.environment)).toBe(0);
      expect(fake.out()).toMatch(/^target \(memory\) answers/);
      expect(fake.out()).toContain('one line of text for each disk instead of XML');
      expect(fake.out()).not.toContain('missing ');
    },
  );

  it('shows every frame with --debug, both ways', async () => {
    const fake = fakeEnvironment({ services });
    await main(['noop', 'one', '--debug'], fake.environment);
    expect(fake.err().split('\n')).toEqual([
      '> handle 1: REQ, 72 bytes "SERVICE noop\\nOPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\\n"',
      '< handle 1: ACK, 2 bytes',
      '< handle 1: REP, 36 bytes "OPTIONS features=ff01;colour=r\\x1bd;\\n"',
      '> handle 1: ACK, 2 bytes',
      '> handle 1: close',
      '',
    ]);
  });

  it('reads which target is meant, and says what it has no use for', async () => {
    const fake = fakeEnvironment({ services });
    await main(
      [
        'noop',
        'one',
        '--auth',
        'local',
        '--amandad-path',
        '/a',
        '--port',
        '7',
        '--ssl-dir',
        '/s',
        '--timeout',
        '5',
      ],
      fake.environment,
    );
    expect(fake.chosen).toEqual([
      {
        host: 'one',
        auth: 'local',
        port: 7,
        user: undefined,
        amandadPath: '/a',
        timeout: 5_000,
        sslDir: '/s',
        onWarning: expect.any(Function) as unknown,
      },
    ]);
    expect(fake.err()).toBe(
      'rx-amanda: auth local has no use for --port.\nrx-amanda: auth local has no use for --ssl-dir.\n',
    );
  });

  it('keeps such notes to itself with --quiet', async () => {
    const fake = fakeEnvironment({ services });
    await main(['noop', 'one', '--ssh-key', '/k', '-q'], fake.environment);
    expect(fake.err()).toBe('');
  });
});

describe('attempts that are made again', () => {
  const failing = (code: string) => ({
    name: 'bsdtcp',
    user: undefined,
    host: 'db1',
    port: 10_080,
    open: () =>
      throwError(
        () =>
          new AmandaError('CONNECT_FAILED', 'Cannot connect to db1 port 10080.', {
            cause: Object.assign(new Error(code), { code }),
          }),
      ),
  });

  it.each(['ENOTFOUND', 'ECONNREFUSED'])('are none after %s', async (code) => {
    const { environment, err } = fakeEnvironment();
    const driver = () => failing(code);
    expect(await main(['noop', 'db1'], { ...environment, driver })).toBe(3);
    expect(err()).toBe('rx-amanda: Cannot connect to db1 port 10080.\n');
  });

  it.each([
    ['ECONNREFUSED', ['--retry']],
    ['EHOSTUNREACH', []],
  ])('are reported when they are made: after %s with %j', async (code, more) => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
    });
    onTestFinished(() => void vi.useRealTimers());
    const { environment, err } = fakeEnvironment();
    const driver = () => failing(code);
    const done = main(['noop', 'db1', ...more], { ...environment, driver });
    const again = 'rx-amanda: Cannot connect to db1 port 10080. Trying again in 5 s';
    await vi.waitFor(() => {
      expect(err()).toBe(`${again} (2 of 3).\n`);
    });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(err()).toBe(`${again} (2 of 3).\n${again} (3 of 3).\n`);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await done).toBe(3);
  });
});
