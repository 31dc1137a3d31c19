import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { noopService } from '../../src/target/services/noop-service.js';
import { reply, type Service, type StreamHandler } from '../../src/exchange/service.js';
import { fakeEnvironment } from '../cli/fake-environment.js';

const says =
  (...texts: readonly string[]): StreamHandler =>
  () =>
    of(...texts.map((text) => new Uint8Array(Buffer.from(text))));
const silent: StreamHandler = () => of();
/** What makes a stream fails once its reply is out: the connection breaks. */
const breaks = (text: string): StreamHandler =>
  async function* () {
    yield new Uint8Array(Buffer.from(text));
    throw new Error('cut');
  };

const INFO = 'sendbackup: info BACKUP=/bin/tar\nsendbackup: info end\n';
const ends = (...lines: readonly string[]): StreamHandler =>
  says(INFO, ...lines.map((line) => `sendbackup: ${line}\n`));

/** The check value of CRC-32C is that of these nine bytes. */
const whole = {
  DATA: says('123456789'),
  MESG: ends('client-CRC e3069283:9', 'size 1', 'end'),
  INDEX: says('/\n/a\n'),
};

type Streams = Readonly<Record<string, StreamHandler | undefined>>;

const damages: readonly (readonly [
  what: string,
  streams: Streams,
  code: string,
  exitCode: number,
])[] = [
  ['DATA is cut short', { DATA: says('12345678') }, 'CHECKSUM_MISMATCH', 1],
  [
    'DATA is cut short, and no checksum was sent',
    { DATA: says('x'.repeat(1_025)), MESG: ends('size 3', 'end') },
    'CHECKSUM_MISMATCH',
    1,
  ],
  ['the connection breaks within DATA', { DATA: breaks('12345') }, 'CONNECTION_LOST', 3],
  ['the connection breaks after DATA', { INDEX: breaks('/\n') }, 'CONNECTION_LOST', 3],
  ['the INDEX is missing', { INDEX: undefined }, 'INCOMPLETE_DUMP', 1],
  [
    'the CRC disagrees',
    { MESG: ends('client-CRC e3069284:9', 'size 1', 'end') },
    'CHECKSUM_MISMATCH',
    1,
  ],
  [
    'the CRC of the dump program disagrees',
    { MESG: ends('native-CRC e3069284:9', 'size 1', 'end') },
    'CHECKSUM_MISMATCH',
    1,
  ],
  [
    'the count beside the CRC disagrees',
    { MESG: ends('client-CRC e3069283:10', 'size 1', 'end') },
    'CHECKSUM_MISMATCH',
    1,
  ],
  [
    'the size disagrees',
    { MESG: ends('client-CRC e3069283:9', 'size 2', 'end') },
    'CHECKSUM_MISMATCH',
    1,
  ],
  ['no size comes', { MESG: ends('client-CRC e3069283:9', 'end') }, 'INCOMPLETE_DUMP', 1],
  [
    '`end` comes without data',
    { DATA: silent, MESG: ends('client-CRC 00000000:0', 'size 0', 'end') },
    'INCOMPLETE_DUMP',
    1,
  ],
  [
    'all is closed without `end`',
    { MESG: ends('client-CRC e3069283:9', 'size 1') },
    'INCOMPLETE_DUMP',
    1,
  ],
  ['all is closed without a word', { MESG: silent }, 'INCOMPLETE_DUMP', 1],
  [
    '`end` comes after an error',
    { MESG: ends('error [no room]', 'client-CRC e3069283:9', 'size 1', 'end') },
    'SERVICE_FAILED',
    1,
  ],
];

function services(streams: Streams): Readonly<Record<string, Service>> {
  return {
    noop: noopService(),
    sendbackup: () =>
      of(reply({ lines: ['OPTIONS features=ff;'], streams: { ...whole, ...streams } })),
  };
}

describe('rx-amanda dump says that it has failed, and makes no file, when', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rx-amanda-damaged-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test.each(damages)('%s', async (_, streams, code, exitCode) => {
    const fake = fakeEnvironment({ services: services(streams) });
    const [file, index] = [join(folder, 'dump'), join(folder, 'index')];
    expect(
      await main(
        ['dump', 'one', '/etc', '-o', file, '--index-file', index, '--json'],
        fake.environment,
      ),
    ).toBe(exitCode);
    expect(JSON.parse(fake.out())).toMatchObject({ error: { code } });
    expect(await readdir(folder)).toEqual([]);
  });

  test.each(damages)(
    '%s, and leaves the file that was to be replaced',
    async (_, streams, _code, exitCode) => {
      const file = join(folder, 'dump');
      await writeFile(file, 'the dump of yesterday');
      const fake = fakeEnvironment({ services: services(streams) });
      expect(
        await main(['dump', 'one', '/etc', '-o', file, '--force', '--quiet'], fake.environment),
      ).toBe(exitCode);
      expect(await readFile(file, 'utf8')).toBe('the dump of yesterday');
      expect(await readdir(folder)).toEqual(['dump']);
    },
  );

  test.each(damages)('%s, to who reads a pipe', async (_, streams, _code, exitCode) => {
    const fake = fakeEnvironment({ services: services(streams) });
    expect(await main(['dump', 'one', '/etc', '-o', '-', '--quiet'], fake.environment)).toBe(
      exitCode,
    );
    expect(fake.err()).toMatch(/^rx-amanda: .*\n$/);
  });

  test('but not when nothing of that is so', async () => {
    const fake = fakeEnvironment({ services: services({}) });
    const [file, index] = [join(folder, 'dump'), join(folder, 'index')];
    expect(
      await main(
        ['dump', 'one', '/etc', '-o', file, '--index-file', index, '--quiet'],
        fake.environment,
      ),
    ).toBe(0);
    expect(await readdir(folder)).toEqual(['dump', 'index']);
  });
});
