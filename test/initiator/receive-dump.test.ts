import {
  EMPTY,
  NEVER,
  Observable,
  concat,
  defer,
  filter,
  ignoreElements,
  lastValueFrom,
  map,
  merge,
  of,
  take,
  tap,
  timer,
  toArray,
} from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { onConnection } from '../../src/initiator/on-connection.js';
import {
  receiveDump,
  type DumpEvent,
  type DumpSinks,
  type ReceiveDumpOptions,
} from '../../src/initiator/receive-dump.js';
import { retryAdvice } from '../../src/initiator/retry.js';
import { sendbackup } from '../../src/initiator/sendbackup.js';
import { reply, type Service, type StreamHandler } from '../../src/exchange/service.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import {
  CRC,
  DATA,
  INFO,
  MESG,
  against,
  answering,
  breaks,
  bytes,
  call,
  dumping,
  failure,
  says,
  silent,
  staysOpen,
  streams,
  text,
  through,
} from './fake-target.js';

const dle: Dle = { program: 'GNUTAR', disk: '/home', index: true };
const nowhere: DumpSinks = { data: () => EMPTY };
const receiving = (sinks: DumpSinks = nowhere, asked: Dle = dle, options?: ReceiveDumpOptions) =>
  through(
    sendbackup({ dle: asked }),
    receiveDump(() => sinks, options),
  );
const outcomeOf = async (service: Service, asked: Dle = dle) => {
  const last = (await call({ sendbackup: service }, receiving(nowhere, asked))).at(-1);
  return last?.kind === 'done' ? last.outcome : undefined;
};
const failureOf = (service: Service, asked: Dle = dle) =>
  failure({ sendbackup: service }, receiving(nowhere, asked));
const mesg = (...lines: readonly string[]): Readonly<Record<string, StreamHandler>> => ({
  MESG: says(INFO, ...lines.map((line) => `sendbackup: ${line}\n`)),
});

describe('a whole dump', () => {
  test('goes to the sinks byte for byte and ends with its outcome', async () => {
    const [data, index]: [Uint8Array[], Uint8Array[]] = [[], []];
    const into = (chunks: Uint8Array[]) => (chunk: Uint8Array) => of(chunks.push(chunk));
    const events = await call(
      { sendbackup: dumping() },
      receiving({ data: into(data), index: into(index) }),
    );
    expect(text(data)).toBe('Hello, dump!');
    expect(text(index)).toBe('/\n/b/\n/one\n');
    expect(events.at(-1)).toEqual({
      kind: 'done',
      outcome: {
        kind: 'success',
        bytes: 12,
        files: 1,
        directories: 2,
        received: { crc: Number.parseInt(CRC, 16), bytes: 12 },
        checksum: `${CRC}:12`,
        size: 1,
        native: { crc: Number.parseInt(CRC, 16), bytes: 12 },
        client: { crc: Number.parseInt(CRC, 16), bytes: 12 },
        strange: [],
        strangeCount: 0,
      },
    });
  });

  test('starts with what it is, before its first byte', async () => {
    const seen: string[] = [];
    const sinks: DumpSinks = { data: () => of(seen.push('data')) };
    const note = tap((event: DumpEvent) =>
      seen.push(event.kind === 'message' ? event.message.kind : event.kind),
    );
    await call({ sendbackup: dumping() }, through(receiving(sinks), note));
    expect(seen.slice(0, 6)).toEqual(['start', 'info', 'info', 'infoEnd', 'started', 'data']);
    const events = await call({ sendbackup: dumping() }, receiving());
    const started = events.find((event) => event.kind === 'started');
    expect(started?.info).toMatchObject({
      program: '/bin/tar',
      application: undefined,
      restore: '/bin/tar -xpGf - ...',
    });
  });

  test('may announce its streams in any order, and none but DATA and MESG', async () => {
    const { DATA: data, MESG: messages } = streams();
    const plain: Dle = { ...dle, index: false };
    expect(
      await outcomeOf(answering(reply({ streams: { MESG: messages, DATA: data } })), plain),
    ).toMatchObject({ kind: 'success', files: 0 });
    expect(await outcomeOf(dumping({ INDEX: undefined, STATE: undefined }), plain)).toMatchObject({
      kind: 'success',
      files: 0,
    });
    expect(await outcomeOf(dumping({ EXTRA: says('whatever') }))).toMatchObject({
      kind: 'success',
    });
  });

  test('is strange when the dump program complained or said something unknown', async () => {
    const messages = says(
      'hello\n',
      ...MESG.slice(0, -1),
      '? /bin/tar: ./x: file changed as we read it\n',
      'sendbackup: warning [odd]\n',
      MESG[4],
    );
    expect(await outcomeOf(dumping({ MESG: messages }))).toMatchObject({
      kind: 'strange',
      strange: ['hello', '/bin/tar: ./x: file changed as we read it', 'odd'],
      strangeCount: 3,
    });
  });

  test('keeps the first hundred strange lines and counts them all, and the first 64 of its info', async () => {
    const odd = Array.from({ length: 250 }, (_, at) => `? odd ${at}\n`).join('');
    const info = Array.from({ length: 100 }, (_, at) => `sendbackup: info NAME${at}=x\n`).join('');
    const messages = says(info, ...MESG.slice(0, -1), odd, MESG[4]);
    const events = await call({ sendbackup: dumping({ MESG: messages }) }, receiving());
    const outcome = await outcomeOf(dumping({ MESG: messages }));
    expect([outcome?.strangeCount, outcome?.strange.length, outcome?.strange.at(-1)]).toEqual([
      250,
      100,
      'odd 99',
    ]);
    expect(
      events.flatMap((event) => (event.kind === 'started' ? [event.info.all.size] : [])),
    ).toEqual([64]);
  });

  test('needs no checksum from the target', async () => {
    expect(await outcomeOf(dumping(mesg('size 1', 'end')))).toMatchObject({
      kind: 'success',
      native: undefined,
      checksum: `${CRC}:12`,
    });
  });

  test('need not say where its info ends', async () => {
    expect(
      await outcomeOf(dumping({ MESG: says('sendbackup: size 1\nsendbackup: end\n') })),
    ).toMatchObject({ kind: 'success' });
  });

  test('that the client compressed is held to the checksum after that and its size to the one before', async () => {
    const compressed: Dle = { ...dle, compress: { method: 'FAST' } };
    expect(
      await outcomeOf(
        dumping(mesg('native-CRC 00000001:2049', `client-CRC ${CRC}:12`, 'size 3', 'end')),
        compressed,
      ),
    ).toMatchObject({ size: 3 });
    expect(
      await failureOf(
        dumping(mesg('native-CRC 00000001:2049', `client-CRC ${CRC}:12`, 'size 2', 'end')),
        compressed,
      ),
    ).toMatchObject({
      code: 'CHECKSUM_MISMATCH',
    });
  });

  test('of an application that only estimates is not held to its size', async () => {
    const zfs: Dle = {
      program: 'APPLICATION',
      disk: 'tank',
      backupProgram: { plugin: 'amzfs-sendrecv', properties: [] },
    };
    expect(await outcomeOf(dumping(mesg('size 32', 'end')), zfs)).toMatchObject({
      kind: 'success',
      size: 32,
    });
  });
});

describe('a dump that is not whole', () => {
  test.each([
    [
      'MESG is closed without `end`',
      { MESG: says(INFO, 'sendbackup: size 1\n') },
      'INCOMPLETE_DUMP',
      /stopped before it reported/,
    ],
    [
      'MESG is closed without a line',
      { MESG: silent },
      'INCOMPLETE_DUMP',
      /stopped before it reported/,
    ],
    [
      'no INDEX comes, which was asked for',
      { INDEX: undefined },
      'INCOMPLETE_DUMP',
      /no index, and one was asked for/,
    ],
    ['`end` comes without data', { DATA: silent }, 'INCOMPLETE_DUMP', /no data/],
    ['no size comes', mesg('end'), 'INCOMPLETE_DUMP', /how large/],
    ['neither size nor checksum is known', mesg('size -1', 'end'), 'INCOMPLETE_DUMP', /how large/],
    [
      'DATA is shorter than the client sent',
      { DATA: says('Hello, dump') },
      'CHECKSUM_MISMATCH',
      new RegExp(`${CRC}:12 .*:11 arrived`),
    ],
    [
      'DATA has another byte',
      { DATA: says('Hello, dumb!') },
      'CHECKSUM_MISMATCH',
      /:12 .*:12 arrived/,
    ],
    [
      'the dump program wrote something else',
      mesg('native-CRC 00000001:12', `client-CRC ${CRC}:12`, 'size 1', 'end'),
      'CHECKSUM_MISMATCH',
      /program wrote/,
    ],
    [
      'the size is another one',
      mesg('size 2', 'end'),
      'CHECKSUM_MISMATCH',
      /reported 2 KiB, and its data are 1 KiB/,
    ],
    [
      'the application failed and says `end` all the same',
      mesg('error [boom]', 'size -1', 'client-CRC 00000000:0', 'end'),
      'SERVICE_FAILED',
      /failed: boom/,
    ],
    [
      'sendbackup reports an error',
      { MESG: says(INFO, '? tar: /x: Cannot open\nsendbackup: error [tar returned 2]\n') },
      'SERVICE_FAILED',
      /tar returned 2.*tar: \/x: Cannot open/,
    ],
  ] as const)('fails when %s', async (_, changes, code, message) => {
    const failed = await failureOf(dumping(changes));
    expect(failed).toMatchObject({ code });
    expect(failed.message).toMatch(message);
  });

  test.each(['DATA', 'INDEX', 'STATE', 'MESG'])(
    'fails when the connection breaks while %s is open',
    async (name) => {
      const parts = name === 'MESG' ? MESG.slice(0, 2) : ['Hello'];
      expect(await failureOf(dumping({ [name]: breaks(...parts) }))).toMatchObject({
        code: 'CONNECTION_LOST',
      });
    },
  );

  test.each(['DATA', 'INDEX', 'STATE'])(
    'is not done before %s is closed, and fails when nothing more comes',
    async (name) => {
      vi.useFakeTimers();
      try {
        const failed = failure(
          { sendbackup: dumping({ [name]: staysOpen('Hello, dump!') }) },
          receiving(nowhere, dle, { dataTimeout: 60_000 }),
        );
        await vi.advanceTimersByTimeAsync(70_000);
        expect(await failed).toMatchObject({ code: 'DATA_TIMEOUT' });
      } finally {
        vi.useRealTimers();
      }
    },
  );

  test('has all the time that a slow sink takes', async () => {
    vi.useFakeTimers();
    try {
      const sinks: DumpSinks = { data: () => timer(300_000) };
      const events = call(
        { sendbackup: dumping() },
        receiving(sinks, dle, { dataTimeout: 60_000 }),
      );
      await vi.advanceTimersByTimeAsync(300_000);
      expect((await events).at(-1)).toMatchObject({ kind: 'done' });
    } finally {
      vi.useRealTimers();
    }
  });

  test('fails when so many data come before what they are that the connection is full', async () => {
    const flood = () =>
      new Observable<Uint8Array>((out) => {
        for (let count = 0; count < 400; count++) out.next(new Uint8Array(65_536));
      });
    const failed = await failureOf(
      dumping({ DATA: flood, MESG: staysOpen('sendbackup: start [x]\n') }),
    );
    expect(failed).toMatchObject({ code: 'BAD_REPLY' });
    expect(failed.message).toMatch(/before their description/);
  });

  test('wants to be asked again, with what the target advises', async () => {
    const service = dumping({
      MESG: says('sendbackup: retry delay 2 level 1 message "try later"\n'),
    });
    const error: unknown = await call({ sendbackup: service }, receiving()).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'RETRY_LATER' });
    expect(retryAdvice(error)).toEqual({ delay: 2, level: 1, message: 'try later' });
  });
});

describe('while it runs', () => {
  test('a slow sink gets everything, also what came long before the target was done', async () => {
    const got: number[] = [];
    const sinks: DumpSinks = {
      data: async (chunk) => {
        await new Promise((resolve) => setImmediate(resolve));
        got.push(chunk.length);
      },
    };
    async function* twenty() {
      for (let count = 0; count < 20; count++) {
        await Promise.resolve();
        yield new Uint8Array(65_536);
      }
    }
    const service = dumping({ DATA: twenty, ...mesg('size 1280', 'end') });
    const events = await call({ sendbackup: service }, receiving(sinks));
    expect(events.at(-1)).toMatchObject({ kind: 'done', outcome: { bytes: 1_310_720 } });
    expect(got.reduce((sum, length) => sum + length, 0)).toBe(1_310_720);
  });

  test('another dump may fill the connection before this one has said what it is', async () => {
    const informLater = () =>
      concat(
        of(bytes('sendbackup: start [x]\n')),
        defer(() => new Promise((resolve) => setImmediate(resolve))).pipe(ignoreElements()),
        of(bytes(`${INFO}sendbackup: size 1\nsendbackup: end\n`)),
      );
    async function* flood() {
      for (let count = 0; count < 400; count++) {
        await Promise.resolve();
        yield new Uint8Array(65_536);
      }
    }
    const flooding = dumping({ DATA: flood, ...mesg('size 25600', 'end') });
    const service: Service = (asked) =>
      (Buffer.from(asked.arguments).includes('<disk>/flood<')
        ? flooding
        : dumping({ MESG: informLater }))(asked);
    const slow: DumpSinks = { data: () => new Promise((resolve) => setImmediate(resolve)) };
    const both = onConnection((connection) =>
      merge(
        of(connection).pipe(
          sendbackup({ dle: { ...dle, disk: '/flood' } }),
          receiveDump(() => slow),
        ),
        of(connection).pipe(
          sendbackup({ dle }),
          receiveDump(() => nowhere),
        ),
      ),
    );
    const events = await call({ sendbackup: service }, both);
    expect(events.filter(({ kind }) => kind === 'done')).toHaveLength(2);
  });

  test('the sender waits for the sink', async () => {
    let [running, most, sent] = [0, 0, 0];
    async function* endless() {
      for (;;) {
        await Promise.resolve();
        sent += 65_536;
        yield new Uint8Array(65_536);
      }
    }
    const sinks: DumpSinks = {
      data: () => {
        most = Math.max(most, ++running);
        return NEVER;
      },
    };
    const subscription = against(
      { sendbackup: dumping({ DATA: endless }) },
      receiving(sinks),
    ).subscribe();
    for (let before = -1; before < sent || sent === 0;) {
      before = sent;
      await new Promise((resolve) => setImmediate(resolve));
    }
    subscription.unsubscribe();
    expect(most).toBe(1);
    expect(sent).toBeLessThan(64 * 1_048_576);
  });

  test('an error of a sink is the error of the dump', async () => {
    const sinks: DumpSinks = {
      data: () => {
        throw new Error('the disk is full');
      },
    };
    expect(await failure({ sendbackup: dumping() }, receiving(sinks))).toEqual({
      code: 'not ours',
      message: 'Error: the disk is full',
    });
  });

  test('progress tells how far it is', async () => {
    vi.useFakeTimers();
    try {
      const progress = lastValueFrom(
        against(
          {
            sendbackup: dumping({
              DATA: () => timer(0, 1_000).pipe(map(() => bytes(DATA))),
              MESG: staysOpen(INFO),
            }),
          },
          receiving(nowhere, dle, { progressInterval: 2_000 }),
        ).pipe(
          filter((event) => event.kind === 'progress'),
          take(2),
          map(({ progress: made }) => made),
          toArray(),
        ),
      );
      await vi.advanceTimersByTimeAsync(6_000);
      expect(await progress).toEqual([
        { bytes: 24, files: 1, directories: 2 },
        { bytes: 48, files: 1, directories: 2 },
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('unsubscribing ends the dump at the target', async () => {
    let stopped = 0;
    const open = () =>
      new Observable<Uint8Array>((out) => {
        out.next(bytes('He'));
        return () => {
          stopped++;
        };
      });
    await new Promise<void>((resolve) => {
      const subscription = against(
        { sendbackup: dumping({ DATA: open, MESG: staysOpen(INFO) }) },
        receiving(),
      ).subscribe((event) => {
        if (event.kind !== 'started') return;
        queueMicrotask(() => {
          subscription.unsubscribe();
          resolve();
        });
      });
    });
    expect(stopped).toBe(1);
  });
});
