import { tmpdir } from 'node:os';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { map, of } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { reply, type Service } from '../../src/exchange/service.js';
import { fakeEnvironment } from './fake-environment.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** Answers with its arguments, each line marked. */
const mirror: Service = ({ arguments: args }) =>
  of(
    reply({
      lines: Buffer.from(args)
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => `got ${line}`),
    }),
  );

/** Echoes its first stream, and greets on its second. */
const echo: Service = () =>
  of(
    reply({
      lines: ['OPTIONS features=ff;'],
      streams: {
        DATA: (incoming) =>
          incoming.pipe(map((chunk) => bytes(Buffer.from(chunk).toString().toUpperCase()))),
        MESG: () => of(bytes('hello\n')),
      },
    }),
  );

describe('rx-amanda service', () => {
  let folder: string;
  let file: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rx-amanda-service-'));
    file = join(folder, 'request');
    await writeFile(file, 'from a file\n');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('sends standard input after the OPTIONS line and prints the reply', async () => {
    const fake = fakeEnvironment({ services: { sendsize: mirror }, stdin: '<dle>\n</dle>\n' });
    expect(await main(['service', 'one', 'sendsize'], fake.environment)).toBe(0);
    expect(fake.out()).toBe(
      'got OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;hostname=one;\ngot <dle>\ngot </dle>\n',
    );
  });

  it('takes the request from a file, and other features and a configuration', async () => {
    const fake = fakeEnvironment({ services: { sendsize: mirror }, stdin: 'not this' });
    await main(
      ['service', 'one', 'sendsize', '-f', file, '--features', 'FF', '--config', 'daily'],
      fake.environment,
    );
    expect(fake.out()).toBe(
      'got OPTIONS features=ff;hostname=one;config=daily;\ngot from a file\n',
    );
  });

  it('ends with exit code 1 when the reply has an ERROR line', async () => {
    const fake = fakeEnvironment({
      services: { selfcheck: () => of(reply({ lines: ['OK fine', 'ERROR not \u009bfine'] })) },
    });
    expect(await main(['service', 'one', 'selfcheck'], fake.environment)).toBe(1);
    expect(fake.out()).toBe('OK fine\nERROR not \\x9bfine\n');
  });

  it('sees that a service failed also where its last line had no end', async () => {
    const line = '}ERROR service /usr/lib/amanda/selfcheck failed: pid 7 exited with code 1';
    const fake = fakeEnvironment({ services: { selfcheck: () => of(reply({ lines: [line] })) } });
    expect(await main(['service', 'one', 'selfcheck'], fake.environment)).toBe(1);
  });

  it('gives the reply as one JSON document, its text as it came', async () => {
    const fake = fakeEnvironment({
      services: {
        selfcheck: () => of(reply({ lines: ['OPTIONS features=ff;', 'OK \u009b', 'ERROR x'] })),
      },
    });
    expect(await main(['service', 'one', 'selfcheck', '--json'], fake.environment)).toBe(1);
    expect(JSON.parse(fake.out())).toEqual({
      peer: { driver: 'memory', host: 'target' },
      options: { features: 'ff' },
      errors: ['x'],
      lines: ['OK \u009b'],
      text: 'OPTIONS features=ff;\nOK \u009b\nERROR x\n',
      streams: {},
    });
  });

  it('joins the first stream to standard input and output with -s', async () => {
    const fake = fakeEnvironment({ services: { restore: echo }, stdin: 'ping' });
    expect(await main(['service', 'one', 'restore', '-s', '-f', file], fake.environment)).toBe(0);
    expect(fake.out()).toBe('PING');
  });

  it('closes the streams that are not wanted', async () => {
    const fake = fakeEnvironment({ services: { restore: echo } });
    expect(await main(['service', 'one', 'restore'], fake.environment)).toBe(0);
    expect(fake.out()).toMatch(/^CONNECT DATA 499999 MESG 499998\nOPTIONS features=ff;\n$/);
  });

  it('ends with exit code 1 when there is no stream to join', async () => {
    const fake = fakeEnvironment({ services: { noop: () => of(reply()) } });
    expect(await main(['service', 'one', 'noop', '-s', '-f', file], fake.environment)).toBe(1);
    expect(fake.err()).toBe('rx-amanda: The service opened no stream; ask for it without -s.\n');
  });

  it('names the streams there are when the one that was asked for is not', async () => {
    const fake = fakeEnvironment({ services: { restore: echo } });
    expect(
      await main(['service', 'one', 'restore', '--stream', 'STATE,-,-'], fake.environment),
    ).toBe(1);
    expect(fake.err()).toBe(
      'rx-amanda: The service opened no stream STATE; it opened DATA MESG.\n',
    );
  });

  it('says so when the file with the request cannot be read', async () => {
    const fake = fakeEnvironment();
    expect(
      await main(['service', 'one', 'noop', '-f', join(folder, 'none')], fake.environment),
    ).toBe(1);
    expect(fake.err()).toMatch(/^rx-amanda: Cannot read .*none: ENOENT/);
  });

  it('reads no more of a request than fits a packet', async () => {
    const fake = fakeEnvironment({ services: { noop: mirror }, stdin: 'x'.repeat(4_194_305) });
    expect(await main(['service', 'one', 'noop'], fake.environment)).toBe(2);
    expect(fake.err()).toBe(
      'rx-amanda: The request is over the 4194304 bytes that fit one packet.\n',
    );
  });
});
