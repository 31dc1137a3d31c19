import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { dumpToFile, type DumpFileOptions } from '../../src/cli/rx-amanda/dump/dump-file.js';
import { dumpToStream } from '../../src/cli/rx-amanda/dump/dump-stream.js';
import { sendbackup } from '../../src/initiator/sendbackup.js';
import type { Service } from '../../src/exchange/service.js';
import {
  against,
  breaks,
  call,
  dumping,
  failure,
  says,
  staysOpen,
  through,
  INFO,
} from '../initiator/fake-target.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dump-file-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const dle = { program: 'GNUTAR', disk: '/home', index: true } as const;
const header = { datestamp: '20260101000000', host: 'client' } as const;
const writing = (options: Partial<DumpFileOptions> = {}) =>
  through(sendbackup({ dle }), dumpToFile({ path: join(folder, 'dump'), ...header, ...options }));
const write = (service: Service, options?: Partial<DumpFileOptions>) =>
  call({ sendbackup: service }, writing(options));
const failed = (service: Service, options?: Partial<DumpFileOptions>) =>
  failure({ sendbackup: service }, writing(options));

describe('dumpToFile', () => {
  test('writes an Amanda dump file for its user alone, and nothing beside it', async () => {
    const events = await write(dumping());
    expect(events.at(-1)).toMatchObject({ kind: 'done', outcome: { kind: 'success', bytes: 12 } });
    expect(readdirSync(folder)).toEqual(['dump']);
    expect(statSync(join(folder, 'dump')).mode & 0o777).toBe(0o600);
    const file = readFileSync(join(folder, 'dump'));
    expect(file).toHaveLength(32_768 + 12);
    expect(file.subarray(32_768).toString()).toBe('Hello, dump!');
    expect(file.subarray(0, file.indexOf(0)).toString()).toBe(
      [
        'AMANDA: FILE 20260101000000 client /home  lev 0 comp N program /bin/tar',
        'ORIGSIZE=1',
        'NATIVE-CRC=984e4927:12',
        'CLIENT-CRC=984e4927:12',
        'SERVER-CRC=984e4927:12',
        'DLE=<<ENDDLE',
        '<dle>\n  <program>GNUTAR</program>\n  <disk>/home</disk>\n  <level>0</level>\n  <index>YES</index>\n</dle>',
        'ENDDLE',
        'To restore, position tape at start of file and run:',
        '\tdd if=<tape> bs=32k skip=1 | /bin/tar -xpGf - ... ',
        '\f\n',
      ].join('\n'),
    );
  });

  test.each([
    ['the checksum disagrees', dumping({ DATA: says('Hello, dumb!') }), 'CHECKSUM_MISMATCH'],
    ['the connection breaks', dumping({ DATA: breaks('Hello') }), 'CONNECTION_LOST'],
    [
      'sendbackup fails',
      dumping({ MESG: says(INFO, 'sendbackup: error [no]\n') }),
      'SERVICE_FAILED',
    ],
    [
      'the target says what no header can hold',
      dumping({ MESG: says('sendbackup: info BACKUP=a b\nsendbackup: info end\n') }),
      'BAD_REPLY',
    ],
  ])('leaves nothing when %s', async (_, service, code) => {
    expect(await failed(service)).toMatchObject({ code });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('leaves nothing when it is unsubscribed midway', async () => {
    const service = dumping({ DATA: staysOpen('Hello'), MESG: staysOpen(INFO) });
    await new Promise<void>((resolve) => {
      const subscription = against({ sendbackup: service }, writing()).subscribe((event) => {
        if (event.kind !== 'started') return;
        expect(readdirSync(folder)).toEqual([`dump.partial-${process.pid}`]);
        setImmediate(() => {
          subscription.unsubscribe();
          resolve();
        });
      });
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('leaves nothing when it is unsubscribed before the file is made', async () => {
    against({ sendbackup: dumping() }, writing()).subscribe().unsubscribe();
    await write(dumping(), { path: join(folder, 'other') });
    await vi.waitFor(() => {
      expect(readdirSync(folder)).toEqual(['other']);
    });
  });

  test('asks the target for nothing when the file cannot be made', async () => {
    let asked = 0;
    const service: Service = (request) => {
      asked++;
      return dumping()(request);
    };
    expect(await failed(service, { path: join(folder, 'missing', 'dump') })).toEqual({
      code: 'FILE_FAILED',
      message: expect.stringContaining('no such directory') as string,
    });
    expect(asked).toBe(0);
  });

  test('replaces a file only when that is allowed', async () => {
    writeFileSync(join(folder, 'dump'), 'precious');
    expect(await failed(dumping())).toEqual({
      code: 'FILE_FAILED',
      message: expect.stringContaining('exists already') as string,
    });
    expect(readFileSync(join(folder, 'dump'), 'utf8')).toBe('precious');
    expect(await failed(dumping({ DATA: says('broken') }), { overwrite: true })).toMatchObject({
      code: 'CHECKSUM_MISMATCH',
    });
    expect(readFileSync(join(folder, 'dump'), 'utf8')).toBe('precious');
    await write(dumping(), { overwrite: true });
    expect(statSync(join(folder, 'dump')).size).toBe(32_768 + 12);
    expect(readdirSync(folder)).toEqual(['dump']);
  });

  test('does not replace a file that came while it was writing', async () => {
    const late: Service = (request) => {
      writeFileSync(join(folder, 'dump'), 'theirs');
      return dumping()(request);
    };
    expect(await failed(late)).toMatchObject({ code: 'FILE_FAILED' });
    expect(readFileSync(join(folder, 'dump'), 'utf8')).toBe('theirs');
    expect(readdirSync(folder)).toEqual(['dump']);
  });

  test('does not replace what is no file', async () => {
    mkdirSync(join(folder, 'sub'));
    symlinkSync('nowhere', join(folder, 'link'));
    for (const name of ['sub', 'link', 'sub/'])
      expect(await failed(dumping(), { path: join(folder, name), overwrite: true })).toMatchObject({
        code: 'FILE_FAILED',
      });
    expect(existsSync(join(folder, 'sub'))).toBe(true);
  });

  test('keeps away from the partial file of another dump', async () => {
    writeFileSync(join(folder, `dump.partial-${process.pid}`), 'under way');
    await write(dumping());
    expect(readFileSync(join(folder, `dump.partial-${process.pid}`), 'utf8')).toBe('under way');
    expect(statSync(join(folder, 'dump')).size).toBe(32_768 + 12);
  });
});

describe('dumpToStream', () => {
  test('writes a header without checksums, then the data, and does not end the stream', async () => {
    const chunks: Buffer[] = [];
    const stream = new Writable({
      write: (chunk: Buffer, _, done) => {
        chunks.push(chunk);
        setImmediate(done);
      },
    });
    const events = await call(
      { sendbackup: dumping() },
      through(sendbackup({ dle }), dumpToStream(stream, { name: 'the output', ...header })),
    );
    expect(events.at(-1)).toMatchObject({ kind: 'done' });
    const file = Buffer.concat(chunks);
    expect(file.subarray(32_768).toString()).toBe('Hello, dump!');
    expect(file.subarray(0, 200).toString()).toMatch(
      /^AMANDA: FILE 20260101000000 client \/home {2}lev 0 comp N program \/bin\/tar\nDLE=<<ENDDLE\n/,
    );
    expect(stream.writableEnded).toBe(false);
  });

  test.skipIf(!existsSync('/dev/full'))('fails when its device is full', async () => {
    const stream = createWriteStream('/dev/full');
    const result = await failure(
      { sendbackup: dumping() },
      through(sendbackup({ dle }), dumpToStream(stream, { name: 'the output', ...header })),
    );
    expect(result).toEqual({
      code: 'FILE_FAILED',
      message: 'Cannot write to the output: no space is left on the device.',
    });
  });

  test('fails when the stream has been destroyed', async () => {
    const stream = new Writable({
      write: (_, __, done) => {
        done();
      },
    });
    stream.destroy();
    const result = await failure(
      { sendbackup: dumping() },
      through(sendbackup({ dle }), dumpToStream(stream, { name: 'the output', ...header })),
    );
    expect(result).toMatchObject({ code: 'FILE_FAILED' });
  });
});
