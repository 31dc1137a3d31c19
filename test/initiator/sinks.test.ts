import { createHash } from 'node:crypto';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EMPTY, Subject, firstValueFrom, lastValueFrom, tap, timer } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  receiveDump,
  type DumpEvent,
  type DumpSinks,
  type ReceiveDumpOptions,
} from '../../src/initiator/receive-dump.js';
import { allowed } from '../../src/access/verdict.js';
import { bsdtcp, listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { connect } from '../../src/initiator/connect.js';
import { serve } from '../../src/target/serve.js';
import { sendbackup } from '../../src/initiator/sendbackup.js';
import type { Service } from '../../src/exchange/service.js';
import { DATA, against, call, dumping, failure, says, through } from './fake-target.js';

const dle = { program: 'GNUTAR', disk: '/home', index: true } as const;

const receiving = (sinks: unknown, options?: ReceiveDumpOptions) =>
  through(
    sendbackup({ dle }),
    receiveDump(() => sinks as DumpSinks, options),
  );

const failureWith = (sinks: unknown, service: Service = dumping()) =>
  failure({ sendbackup: service }, receiving(sinks));

/** The `write` of a Writable that is done immediately. */
function takeNow(_chunk: unknown, _encoding: string, done: () => void): void {
  done();
}

/** A Writable that collects what it is given, and is done with a chunk when it is told. */
class SlowWritable extends Writable {
  readonly chunks: Uint8Array[] = [];
  readonly written = new Subject<void>();
  #done: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1 });
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    this.#done = done;
    this.written.next();
  }

  release(): void {
    this.#done?.();
  }
}

describe('a Writable as a sink', () => {
  test.each([false, true])(
    'is a file that is whole when the dump is done (lease: %s)',
    async (lease) => {
      const folder = await mkdtemp(join(tmpdir(), 'rx-amanda-sinks-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      const [data, index] = ['data', 'index'].map((name) => join(folder, name)) as [string, string];
      let atDone: string | undefined;
      const events = await call(
        { sendbackup: dumping() },
        through(
          receiving({ data: createWriteStream(data), index: createWriteStream(index) }, { lease }),
          tap((event: DumpEvent) => {
            if (event.kind === 'done') atDone = readFileSync(data, 'utf8');
          }),
        ),
      );
      expect(events.at(-1)?.kind).toBe('done');
      expect(atDone).toBe(DATA);
      expect(await readFile(index, 'utf8')).toBe('/\n/b/\n/one\n');
    },
  );

  test('gets the next chunk after the callback of the last', async () => {
    const sink = new SlowWritable();
    const dumped = lastValueFrom(
      against(
        { sendbackup: dumping({ DATA: says('Hello, ', 'dump!') }) },
        receiving({ data: sink }),
      ),
    );
    await firstValueFrom(sink.written);
    await firstValueFrom(timer(20));
    expect(sink.chunks.map(String)).toEqual([String(Buffer.from('Hello, '))]);
    const second = firstValueFrom(sink.written);
    sink.release();
    await second;
    expect(Buffer.concat(sink.chunks).toString()).toBe(DATA);
    sink.release();
    expect((await dumped).kind).toBe('done');
    expect(sink.writableFinished).toBe(true);
  });

  test('ends the dump with its error, at a write and between two writes', async () => {
    const full = new Error('no space left on device');
    const atWrite = new Writable({
      write: (_chunk, _encoding, done) => {
        done(full);
      },
    });
    await expect(call({ sendbackup: dumping() }, receiving({ data: atWrite }))).rejects.toBe(full);
    const between = new Writable({ write: takeNow });
    const asked = call(
      { sendbackup: dumping({ DATA: () => new Subject<Uint8Array>() }) },
      receiving({ data: between }),
    );
    setImmediate(() => between.destroy(full));
    await expect(asked).rejects.toBe(full);
  });

  test('is an error when it is closed early, and when it cannot be ended', async () => {
    const closed = new Writable().destroy();
    await expect(
      call({ sendbackup: dumping() }, receiving({ data: closed })),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_STREAM_/) as unknown });
    const broken = new Error('the last write failed');
    const sink = new Writable({
      write: takeNow,
      final: (done) => {
        done(broken);
      },
    });
    await expect(call({ sendbackup: dumping() }, receiving({ data: sink }))).rejects.toBe(broken);
  });

  test('is destroyed and not ended when the dump is not whole, or is unsubscribed', async () => {
    const sink = new Writable({ write: takeNow });
    const cut = dumping({ MESG: says('sendbackup: info end\n') });
    expect((await failureWith({ data: sink }, cut)).code).toBe('INCOMPLETE_DUMP');
    expect(sink).toMatchObject({ destroyed: true, writableFinished: false });
    const other = new SlowWritable();
    const reading = against({ sendbackup: dumping() }, receiving({ data: other })).subscribe();
    await firstValueFrom(other.written);
    reading.unsubscribe();
    expect(other).toMatchObject({ destroyed: true, writableFinished: false });
  });

  test('may pass leased chunks on later, as a Duplex does', async () => {
    const parts = Array.from({ length: 40 }, (_, at) => Buffer.alloc(32_768, 48 + at));
    const service = dumping({
      DATA: async function* () {
        for (const part of parts) {
          yield part;
          await nextTurn();
        }
      },
      MESG: says('sendbackup: info end\nsendbackup: size 1280\nsendbackup: end\n'),
    });
    // Over TCP, because only its reader reads into the same memory again.
    const port = await new Promise<number>((resolve) => {
      const listener = listenBsdtcp({ host: '127.0.0.1', port: 0, onListening: resolve });
      const serving = serve(listener, { sendbackup: service }, { authorize: () => allowed });
      const running = serving.subscribe();
      onTestFinished(() => {
        running.unsubscribe();
      });
    });
    const sink = new PassThrough({ highWaterMark: 8_388_608 });
    const driver = bsdtcp({ host: '127.0.0.1', port, user: 'amanda', reservedPorts: false });
    await lastValueFrom(connect(driver).pipe(receiving({ data: sink }, { lease: true })));
    expect((await buffer(sink)).equals(Buffer.concat(parts))).toBe(true);
  });

  test('leaves standard output open', async () => {
    const written: string[] = [];
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = ((chunk: Uint8Array, done: () => void) => {
      written.push(Buffer.from(chunk).toString());
      done();
      return true;
    }) as typeof process.stdout.write;
    onTestFinished(() => {
      process.stdout.write = write;
    });
    await call({ sendbackup: dumping() }, receiving({ data: process.stdout }));
    process.stdout.write = write;
    expect(written.join('')).toBe(DATA);
    expect(process.stdout.writableEnded).toBe(false);
  });
});

describe('a sink that is none', () => {
  test.each<[string, () => unknown, string]>([
    [
      'returns nothing',
      () => ({ data: () => undefined }),
      'The data sink of a dump must return an Observable, a Promise or an iterable, not undefined; return EMPTY if there is nothing to wait for.',
    ],
    ['returns a number', () => ({ data: () => 5 }), 'not a number;'],
    ['returns a text', () => ({ data: () => 'text' }), 'not a string;'],
    [
      'returns a hash',
      () => ({ data: (chunk: Uint8Array) => createHash('md5').update(chunk) }),
      'not an object;',
    ],
    [
      'is a text',
      () => ({ data: 'file' }),
      'The data sink of a dump must be a function or a Writable, not "file".',
    ],
    [
      'is missing',
      () => ({}),
      'The data sink of a dump must be a function or a Writable, not undefined.',
    ],
    [
      'is a Readable',
      () => ({ data: () => EMPTY, index: { read: () => 5 } }),
      'The index sink of a dump must be a function or a Writable, not an object.',
    ],
    [
      'is nothing at all',
      () => undefined,
      'What the function open of receiveDump returns must be an object, not undefined.',
    ],
  ])('is an error with a code: one that %s', async (_, sinks, message) => {
    const found = await failureWith(sinks());
    expect(found.code).toBe('BAD_ARGUMENT');
    expect(found.message).toContain(message);
  });
});
