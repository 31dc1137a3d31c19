import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NEVER, concat, defer, of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { reply, type IncomingRequest, type Service } from '../../src/exchange/service.js';
import { decodeDumpHeader } from '../../src/wire/dumpfile.js';
import { parseDles } from '../../src/wire/dle/dle-parse.js';
import { fakeEnvironment } from './fake-environment.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
/** Its CRC-32C is the check value in the algorithm's specification. */
const DATA = '123456789';

/** A sendbackup that dumps nine bytes and one file, with these messages after the info. */
function sendbackup(messages: string, asked: IncomingRequest[] = []): Service {
  return (request) => {
    asked.push(request);
    const info =
      'sendbackup: start [one:/etc level 0]\nsendbackup: info BACKUP=/bin/tar\nsendbackup: info RECOVER_CMD=/bin/tar -xpGf - ...\nsendbackup: info end\n';
    return of(
      reply({
        lines: ['OPTIONS features=ff;'],
        streams: {
          DATA: () => of(bytes(DATA)),
          MESG: () => of(bytes(info), bytes(messages)),
          INDEX: () => of(bytes('/\n/a\n')),
          STATE: undefined,
        },
      }),
    );
  };
}

const whole =
  'sendbackup: native-CRC e3069283:9\nsendbackup: client-CRC e3069283:9\nsendbackup: size 1\nsendbackup: end\n';
const noop: Service = () =>
  of(reply({ lines: ['OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;'] }));

describe('rx-amanda dump', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rx-amanda-dump-'));
    file = join(folder, 'etc.dump');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('writes a dump file and reports what is in it', async () => {
    const fake = fakeEnvironment({ services: { noop, sendbackup: sendbackup(whole) } });
    expect(await main(['dump', 'one', '/etc', '-o', file], fake.environment)).toBe(0);
    const image = await readFile(file);
    expect(decodeDumpHeader(image)).toMatchObject({
      host: 'one',
      disk: '/etc',
      level: 0,
      program: '/bin/tar',
    });
    expect(image.subarray(32_768).toString()).toBe(DATA);
    expect(fake.out().split('\n')).toEqual([
      '/etc, level 0, of target (memory) is backed up.',
      `  file    ${file}, 32.0 KiB`,
      '  CRC     e3069283:9 (CRC-32C:bytes), the same at both ends',
      '  index   1 file, 1 folder',
      expect.stringMatching(/^ {2}time {4}\d\.\d\d s, .*\/s$/),
      '',
    ]);
    expect(fake.err()).toMatch(/^9 B, .*\/s, 1 file\n$/);
  });

  it('reports as one JSON document, without a progress line where no terminal is', async () => {
    const fake = fakeEnvironment({
      services: { noop, sendbackup: sendbackup(`? odd\n${whole}`) },
    });
    expect(await main(['dump', 'one', '/etc', '-o', file, '--json'], fake.environment)).toBe(0);
    expect(JSON.parse(fake.out())).toEqual({
      file,
      peer: { driver: 'memory', host: 'target' },
      disk: '/etc',
      device: '/etc',
      level: 0,
      result: 'strange',
      bytes: 9,
      checksum: { received: 'e3069283:9', client: 'e3069283:9', native: 'e3069283:9' },
      index: { files: 1, directories: 1 },
      strange: ['odd'],
      strangeCount: 1,
      milliseconds: expect.any(Number) as number,
    });
    expect(fake.err()).toBe('');
  });

  it('asks for what the words say', async () => {
    const asked: IncomingRequest[] = [];
    const fake = fakeEnvironment({ services: { noop, sendbackup: sendbackup(whole, asked) } });
    await main(
      [
        'dump',
        'one',
        'data',
        '--device',
        '/srv/data',
        '--level',
        '2',
        '--record',
        '--no-index',
        '-o',
        file,
        '-q',
      ],
      fake.environment,
    );
    const [options, ...dle] = Buffer.from(asked[0]?.arguments ?? [])
      .toString()
      .split('\n');
    expect(options).toBe('OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;hostname=one;');
    expect(parseDles(dle.join('\n'))).toEqual([
      expect.objectContaining({
        program: 'GNUTAR',
        disk: 'data',
        diskdevice: '/srv/data',
        levels: [{ level: 2 }],
        auth: 'bsdtcp',
        record: true,
        index: false,
      }),
    ]);
    expect(fake.err()).toBe('');
  });

  it.each([
    ['sendbackup reports an error', 'sendbackup: error [tar returned 2]\n', 'SERVICE_FAILED', 1],
    ['the end is missing', 'sendbackup: size 1\n', 'INCOMPLETE_DUMP', 1],
    ['the checksum is another', whole.replaceAll('e3069283', 'e3069284'), 'CHECKSUM_MISMATCH', 1],
  ])('leaves no file when %s', async (_, messages, code, exitCode) => {
    const fake = fakeEnvironment({ services: { noop, sendbackup: sendbackup(messages) } });
    expect(await main(['dump', 'one', '/etc', '-o', file, '--json'], fake.environment)).toBe(
      exitCode,
    );
    expect(JSON.parse(fake.out())).toMatchObject({ error: { code } });
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves no file when it is interrupted, and ends with the code of the signal', async () => {
    const silent: Service = () =>
      of(
        reply({
          streams: {
            DATA: () => concat(of(bytes(DATA)), NEVER),
            MESG: () => concat(of(bytes('sendbackup: info end\n')), interruption, NEVER),
            INDEX: undefined,
          },
        }),
      );
    const interruption = defer(() => {
      fake.interrupt.next(130);
      return of(bytes('| x\n'));
    });
    const fake = fakeEnvironment({ services: { noop, sendbackup: silent } });
    expect(await main(['dump', 'one', '/etc', '-o', file], fake.environment)).toBe(130);
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not replace a file without --force', async () => {
    await writeFile(file, 'precious');
    const fake = fakeEnvironment({ services: { noop, sendbackup: sendbackup(whole) } });
    expect(await main(['dump', 'one', '/etc', '-o', file], fake.environment)).toBe(1);
    expect(await readFile(file, 'utf8')).toBe('precious');
    expect(await main(['dump', 'one', '/etc', '-o', file, '--force'], fake.environment)).toBe(0);
    expect((await readFile(file)).length).toBe(32_768 + 9);
  });

  it('says so when the file cannot be written', async () => {
    const fake = fakeEnvironment({ services: { noop, sendbackup: sendbackup(whole) } });
    expect(
      await main(['dump', 'one', '/etc', '-o', join(folder, 'none', 'x')], fake.environment),
    ).toBe(1);
    expect(fake.err()).toMatch(/^rx-amanda: Cannot create .*: there is no such directory\.\n$/);
  });

  it('writes to standard output with -o -, and reports on standard error', async () => {
    const fake = fakeEnvironment({ services: { noop, sendbackup: sendbackup(whole) } });
    expect(await main(['dump', 'one', '/etc', '-o', '-'], fake.environment)).toBe(0);
    expect(fake.out().length).toBe(32_768 + 9);
    expect(fake.err()).toContain('rx-amanda: /etc, level 0, of target (memory) is backed up.\n');
  });

  it('does not write a dump to a terminal', async () => {
    const fake = fakeEnvironment({ terminals: ['stdout'] });
    expect(await main(['dump', 'one', '/etc', '-o', '-'], fake.environment)).toBe(2);
    expect(fake.err()).toBe(
      'rx-amanda: A dump is not written to a terminal; name a file with -o FILE.\n',
    );
  });

  it('changes one line on a terminal', async () => {
    const fake = fakeEnvironment({
      services: { noop, sendbackup: sendbackup(whole) },
      terminals: ['stderr'],
    });
    await main(['dump', 'one', '/etc', '-o', file], fake.environment);
    expect(fake.err()).toMatch(/^\r9 B, .*\/s, 1 file *\n$/);
  });
});

describe('rx-amanda demo', () => {
  it('backs up a directory into a new temporary folder and says how to look at it', async () => {
    const fake = fakeEnvironment({ services: { noop, sendbackup: sendbackup(whole) } });
    expect(await main(['demo', '/etc'], fake.environment)).toBe(0);
    const [, file = ''] = /dd if=(\S+) bs=32k skip=1/.exec(fake.out()) ?? [];
    expect((await readFile(file)).subarray(32_768).toString()).toBe(DATA);
    await rm(join(file, '..'), { recursive: true });
    expect(fake.err()).toContain(
      'rx-amanda: backing up /etc from a target of our own, over the Amanda protocol\n',
    );
  });

  it('leaves no file when that fails', async () => {
    const before = new Set(await readdir(tmpdir()));
    const fake = fakeEnvironment({
      services: { noop, sendbackup: sendbackup('sendbackup: error [no]\n') },
    });
    expect(await main(['demo', '/etc', '--json'], fake.environment)).toBe(1);
    expect(JSON.parse(fake.out())).toMatchObject({ error: { code: 'SERVICE_FAILED' } });
    const fresh = (await readdir(tmpdir())).filter(
      (name) => name.startsWith('rx-amanda-demo-') && !before.has(name),
    );
    expect(fresh).toEqual([]);
  });
});
