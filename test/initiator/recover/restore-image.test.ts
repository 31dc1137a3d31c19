import { EMPTY, firstValueFrom, filter, of, timer } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { reply } from '../../../src/exchange/service.js';
import { formatVolumes, parseVolumes } from '../../../src/initiator/recover/index-entries.js';
import type { RestoreImageOptions } from '../../../src/initiator/recover/image-restore.js';
import { restoreImage } from '../../../src/initiator/recover/restore-image.js';
import { restorePlan } from '../../../src/initiator/recover/restore-plan.js';
import { against, bytes, call, DATA, failure, text } from '../fake-target.js';
import { conversation, fakeTapeServer, type TapeServer } from './fake-server.js';

const dump = {
  datestamp: '20261103010000',
  level: 1,
  volumes: [{ storage: 'main', label: 'lab-2', files: [1, 2] }],
};
const options: RestoreImageOptions = { config: 'daily', host: 'db1', disk: '/a+b', dump };

const nothing = () => ({ data: () => EMPTY });

describe('restoreImage', () => {
  test('receives header, state and image, and verifies the checksum', async () => {
    const chunks: Uint8Array[] = [];
    const state: Uint8Array[] = [];
    const keep = (into: Uint8Array[]) => (chunk: Uint8Array) => {
      into.push(chunk);
      return EMPTY;
    };
    const heard: string[] = [];
    const events = await call(
      { amidxtaped: fakeTapeServer({ state: () => of(bytes('state')) }, heard) },
      restoreImage(options, () => ({ data: keep(chunks), state: keep(state) })),
    );
    expect(text(chunks)).toBe(DATA);
    expect(text(state)).toBe('state');
    expect(events.map(({ kind }) => kind)).toEqual(['started', 'done']);
    expect(events.at(-1)).toMatchObject({
      outcome: { isVerified: true, received: { bytes: DATA.length } },
    });
    expect(heard.slice(1, heard.indexOf('END'))).toEqual([
      'CONFIG=daily',
      'LABEL=main:lab-2:1,2',
      'HEADER',
      'HOST=^db1$',
      'DISK=^/a\\+b$',
      'DATESTAMP=20261103010000',
    ]);
    expect(heard).not.toContain('USE-DAR YES');
  });

  test('passes on the texts of the server', async () => {
    const server = fakeTapeServer({ lines: { 'STATE-DONE': ['MESSAGE a\u009bb', 'USE-DAR NO'] } });
    const events = await call({ amidxtaped: server }, restoreImage(options, nothing));
    expect(events).toContainEqual({ kind: 'message', text: 'a\\x9bb' });
  });

  test('asks for a missing volume', async () => {
    const heard: string[] = [];
    const labels: string[] = [];
    const server = fakeTapeServer(
      { lines: { END: ['FEEDME lab-2'], OK: ['HEADER-SEND-SIZE 600'] } },
      heard,
    );
    const onVolume = (label: string) => {
      labels.push(label);
      return timer(5);
    };
    const events = await call(
      { amidxtaped: server },
      restoreImage({ ...options, onVolume }, nothing),
    );
    expect(labels).toEqual(['lab-2']);
    expect(events.map(({ kind }) => kind)).toEqual(['volume', 'started', 'done']);
  });

  test.each<[string, TapeServer, string, RegExp]>([
    [
      'a volume that stays missing',
      { lines: { END: ['FEEDME lab-2'] } },
      'INCOMPLETE_DUMP',
      /lab-2/,
    ],
    ['other bytes', { data: 'Hello, dumb!' }, 'CHECKSUM_MISMATCH', /differs/],
    ['too few bytes', { data: 'Hello' }, 'INCOMPLETE_DUMP', /5 of its 12 bytes/],
    ['no bytes', { data: '' }, 'INCOMPLETE_DUMP', /no data/],
    ['too many bytes', { data: `${DATA}!` }, 'CHECKSUM_MISMATCH', /differs/],
    ['a header that is none', { header: bytes('x'.repeat(600)) }, 'BAD_DUMP_HEADER', /begins with/],
    ['a header of no size', { lines: { END: ['HEADER-SEND-SIZE 0'] } }, 'BAD_REPLY', /header/],
    ['a huge header', { lines: { END: ['HEADER-SEND-SIZE 99999999'] } }, 'BAD_REPLY', /header/],
    [
      'a shorter header than announced',
      { lines: { END: ['HEADER-SEND-SIZE 601'] } },
      'DATA_TIMEOUT',
      /Nothing/,
    ],
    [
      'a longer header than announced',
      { lines: { END: ['HEADER-SEND-SIZE 599'] } },
      'BAD_REPLY',
      /too early/,
    ],
    ['data without a header', { lines: { END: ['DATA-SEND'] } }, 'SERVICE_FAILED', /sent nothing/],
    [
      'an old server',
      { lines: { FEATURES: ['FEATURES=ffffffff9efefbff'] } },
      'SERVICE_FAILED',
      /before 3.4/,
    ],
    [
      'features that are none',
      { lines: { FEATURES: ['FEATURES=zz'] } },
      'BAD_FEATURES',
      /hexadecimal/,
    ],
    ['a server that falls silent', { lines: { 'AVAIL-DATAPATH': [] } }, 'DATA_TIMEOUT', /Nothing/],
  ])('fails for %s', async (_, server, code, message) => {
    const error = await failure(
      { amidxtaped: fakeTapeServer(server) },
      restoreImage({ ...options, silence: 100 }, nothing),
    );
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  test('fails with the words of a server that finds no such dump', async () => {
    const over = conversation(undefined, (line) =>
      line === 'END'
        ? undefined
        : line.startsWith('FEATURES')
          ? [line]
          : ['MESSAGE No matching dumps found'],
    );
    const amidxtaped = () => of(reply({ streams: { CTL: over, DATA: () => EMPTY } }));
    const error = await failure({ amidxtaped }, restoreImage(options, nothing));
    expect(error.code).toBe('SERVICE_FAILED');
    expect(error.message).toContain('No matching dumps found');
  });

  test('fails with the error of a sink', async () => {
    const error = await failure(
      { amidxtaped: fakeTapeServer() },
      restoreImage(options, () => ({
        data: () => {
          throw new Error('the disk is full');
        },
      })),
    );
    expect(error.message).toContain('the disk is full');
  });

  test('closes CTL when it is left, so that the server stops', async () => {
    let closed: () => void = () => undefined;
    const ctlClosed = new Promise<void>((resolve) => (closed = resolve));
    const server = fakeTapeServer({
      staysOpen: true,
      onClose: () => {
        closed();
      },
    });
    await firstValueFrom(
      against({ amidxtaped: server }, restoreImage(options, nothing)).pipe(
        filter(({ kind }) => kind === 'started'),
      ),
    );
    await ctlClosed;
  });
});

describe('restorePlan', () => {
  const at = (day: number, level: number) => ({
    datestamp: `202611${String(day).padStart(2, '0')}010000`,
    level,
    volumes: [],
  });
  const dumps = [at(2, 0), at(3, 1), at(4, 2), at(5, 1), at(6, 2), at(7, 2), at(9, 0), at(10, 1)];
  const plan = (date?: string) =>
    restorePlan(dumps, date).map(({ datestamp, level }) => `${datestamp.slice(6, 8)}/${level}`);

  test.each([
    [undefined, ['09/0', '10/1']],
    ['20261108', ['02/0', '05/1', '07/2']],
    ['20261106', ['02/0', '05/1', '06/2']],
    ['20261105', ['02/0', '05/1']],
    ['20261104', ['02/0', '03/1', '04/2']],
    ['20261104005959', ['02/0', '03/1']],
    ['20261102', ['02/0']],
  ])('until %j', (date, expected) => {
    expect(plan(date)).toEqual(expected);
  });

  test('fails before the first dump, and without the full one', () => {
    expect(() => plan('20261101')).toThrow(/no dump from 20261101/);
    expect(() => restorePlan([at(3, 1)])).toThrow(/full dump.*gone/);
  });
});

describe('volumes', () => {
  test.each([
    'main:lab-1:1',
    'main:lab-1:1,2;main:lab-2:1',
    'lab-1:3',
    'HOLDING:/var/holding/x.0:0',
    'a\\:b:c\\;d\\,e:7',
  ])('%s is read and written', (written) => {
    expect(formatVolumes(parseVolumes(written))).toBe(written);
  });

  test.each(['', 'lab-1', 'lab-1:x', 'a:b:c:1', 'lab-1:-1', 'lab-1:'])(
    '%j is malformed',
    (written) => {
      expect(() => parseVolumes(written)).toThrow(/malformed/);
    },
  );
});
