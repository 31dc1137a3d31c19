import { firstValueFrom, isObservable, of, type OperatorFunction } from 'rxjs';
import { describe, expect, test } from 'vitest';
import * as diagram from '../../src/diagram/index.js';
import * as driver from '../../src/driver.js';
import * as face from '../../src/index.js';
import { sweep } from '../../src/initiator/sweep.js';
import * as wire from '../../src/wire/index.js';

/** A value that the compiler would refuse, as a program in JavaScript may pass it. */
type Wrong = never;

const host = 'localhost';
const over = (operator: unknown): unknown =>
  (operator as OperatorFunction<string, unknown>)(of('a connection'));

/** Calls with an argument that is missing or of another type, and a word that the message has. */
const calls: readonly (readonly [string, (wrong: Wrong) => unknown, string])[] = [
  ...(['bsdtcp', 'bsdudp', 'bsd', 'ssl', 'ssh', 'rsh'] as const).flatMap(
    (name) =>
      [
        [`${name}()`, (wrong: Wrong) => face[name](wrong), 'options of'],
        [`${name}({})`, () => face[name]({} as unknown as Wrong), 'host'],
        [`${name}({ host: undefined })`, (wrong: Wrong) => face[name]({ host: wrong }), 'host'],
        [`${name}({ host: '' })`, () => face[name]({ host: '' }), 'host'],
        [`${name}({ host: 5 })`, () => face[name]({ host: 5 as unknown as Wrong }), 'host'],
      ] as const,
  ),
  ...(['bsdtcp', 'bsdudp', 'bsd', 'ssl', 'ssh'] as const).map(
    (name) =>
      [
        `${name}({ port: '10080' })`,
        () => face[name]({ host, port: '10080' as unknown as Wrong }),
        '"10080"',
      ] as const,
  ),
  ...(['bsdtcp', 'bsdudp', 'bsd', 'ssl'] as const).map(
    (name) =>
      [
        `${name}({ user: 5 })`,
        () => face[name]({ host, user: 5 as unknown as Wrong }),
        'user',
      ] as const,
  ),
  ['local({ host: 5 })', () => face.local({ host: 5 as unknown as Wrong }), 'host'],
  [
    'local({ amandadPath: null })',
    () => face.local({ amandadPath: null as unknown as Wrong }),
    'amandadPath',
  ],
  [
    'ssh({ sshOptions: "-v" })',
    () => face.ssh({ host, sshOptions: '-v' as unknown as Wrong }),
    'sshOptions',
  ],
  ['ssh({ keyFile: "" })', () => face.ssh({ host, keyFile: '' }), 'keyFile'],
  ['ssh({ command: 5 })', () => face.ssh({ host, command: 5 as unknown as Wrong }), 'command'],
  ['ssh({ connectTimeout: NaN })', () => face.ssh({ host, connectTimeout: NaN }), 'connectTimeout'],
  [
    'rsh({ clientUsername: 5 })',
    () => face.rsh({ host, clientUsername: 5 as unknown as Wrong }),
    'clientUsername',
  ],
  [
    'rsh({ amandadPath: 5 })',
    () => face.rsh({ host, amandadPath: 5 as unknown as Wrong }),
    'amandadPath',
  ],
  ['ssl({ sslDir: 5 })', () => face.ssl({ host, sslDir: 5 as unknown as Wrong }), 'sslDir'],
  ['memory({ user: 5 })', () => face.memory({ user: 5 as unknown as Wrong }), 'user'],
  ['listenStdio()', (wrong) => face.listenStdio(wrong), 'options of'],
  [
    'listenStdio({ auth: "krb5" })',
    () => face.listenStdio({ auth: 'krb5' as unknown as Wrong }),
    '"krb5"',
  ],
  [
    'listenBsdtcp({ port: "x" })',
    () => face.listenBsdtcp({ port: 'x' as unknown as Wrong }),
    'port',
  ],
  ['listenBsdtcp({ host: 5 })', () => face.listenBsdtcp({ host: 5 as unknown as Wrong }), 'host'],
  ['listenSsl({ host: 5 })', () => face.listenSsl({ host: 5 as unknown as Wrong }), 'host'],
  ['listenBsdudp({ host: 5 })', () => face.listenBsdudp({ host: 5 as unknown as Wrong }), 'host'],
  ['listenBsd({ port: -1 })', () => face.listenBsd({ port: -1 }), 'port'],
  ['connect()', (wrong) => face.connect(wrong), 'driver'],
  ['connect("bsdtcp")', () => face.connect('bsdtcp' as unknown as Wrong), 'driver'],
  ['serve()', (wrong) => face.serve(wrong, {}), 'listener'],
  ['serve(listener)', (wrong) => face.serve(face.memory().listener, wrong), 'services'],
  [
    'serve(listener, { noop: "text" })',
    () => face.serve(face.memory().listener, { noop: 'text' as unknown as Wrong }),
    'noop',
  ],
  ['request()', (wrong) => over(face.request(wrong)), 'options of'],
  ['request({})', () => over(face.request({} as unknown as Wrong)), 'service'],
  ['onConnection()', (wrong) => over(face.onConnection(wrong)), 'work'],
  ['sendbackup()', (wrong) => face.sendbackup(wrong), 'options of'],
  ['sendbackup({ dle: undefined })', (wrong) => face.sendbackup({ dle: wrong }), 'dle'],
  ['dump({ dle: undefined })', (wrong) => over(face.dump({ dle: wrong })), 'dle'],
  ['dump({ dle: "/home" })', () => over(face.dump({ dle: '/home' as unknown as Wrong })), 'dle'],
  ['selfcheck({ dles: undefined })', (wrong) => face.selfcheck({ dles: wrong }), 'dles'],
  ['sendsize({ dles: {} })', () => face.sendsize({ dles: {} as unknown as Wrong }), 'dles'],
  ['sweep(hosts)', (wrong) => sweep(['a'], wrong), 'work'],
  ['receiveDump()', (wrong) => over(face.receiveDump(wrong)), 'open'],
  ['paced()', (wrong) => face.paced(wrong), 'work'],
  [
    'lines({ maxLength: "5" })',
    () => face.lines({ maxLength: '5' as unknown as Wrong }),
    'maxLength',
  ],
  ['toWritable()', (wrong) => face.toWritable(wrong), 'Writable'],
  ['toReadable()', (wrong) => face.toReadable(wrong), 'source'],
  ['processService()', (wrong) => face.processService(wrong), 'executable'],
  ['backupServices()', (wrong) => face.backupServices(wrong), 'find'],
  ['tarArchive()', (wrong) => face.tarArchive(wrong), 'options of'],
  ['tarArchive({})', () => face.tarArchive({} as unknown as Wrong), 'files'],
  ['fileJournal()', (wrong) => face.fileJournal(wrong), 'path'],
  ['reply({ lines: "text" })', () => face.reply({ lines: 'text' as unknown as Wrong }), 'lines'],
  ['partialReply("text")', () => face.partialReply('text' as unknown as Wrong), 'lines'],
  ['formatDle()', (wrong) => wire.formatDle(wrong), 'DLE'],
  [
    'formatDle({ program })',
    () => wire.formatDle({ program: 'GNUTAR' } as unknown as Wrong),
    'disk',
  ],
  [
    'formatDle({ program: "tar" })',
    () => wire.formatDle({ program: 'tar' as unknown as Wrong, disk: '/home' }),
    '"tar"',
  ],
  ['Features.parse()', (wrong) => wire.Features.parse(wrong), 'feature set'],
  ['wrapPayloads()', (wrong) => driver.wrapPayloads(wrong, wrong), 'channel'],
  ['overChannel()', (wrong) => driver.overChannel(wrong, wrong), 'channel'],
  ['record()', (wrong) => diagram.record(wrong), 'observer'],
  ['record({})', () => diagram.record({} as unknown as Wrong), 'observer'],
  ['new Recording({ maxEvents: 1 })', () => new diagram.Recording({ maxEvents: 1 }), 'maxEvents'],
];

describe('a call with a wrong argument', () => {
  test.each(calls)('%s errors with a code and names it', async (_, call, word) => {
    const told = await new Promise<unknown>((resolve) => {
      try {
        const made = call(undefined as Wrong);
        if (!isObservable(made)) throw new Error('nothing was thrown');
        firstValueFrom(made, { defaultValue: 'completed' }).then(resolve, resolve);
      } catch (error) {
        resolve(error);
      }
    });
    expect(told).toBeInstanceOf(wire.AmandaError);
    expect(['BAD_ARGUMENT', 'BAD_DLE']).toContain((told as face.AmandaError).code);
    expect((told as face.AmandaError).message).toContain(word);
    expect((told as face.AmandaError).message).toMatch(/^[A-Z"].+[^.]\.$/);
  });
});
