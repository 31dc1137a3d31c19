import { gunzipSync } from 'node:zlib';
import { NEVER, Observable, lastValueFrom, takeWhile, toArray } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { Connection } from '../../src/connection/connection.js';
import { memory } from '../../src/drivers/memory.js';
import { connect } from '../../src/initiator/connect.js';
import { dump } from '../../src/initiator/dump.js';
import { receiveDump } from '../../src/initiator/receive-dump.js';
import { selfcheck } from '../../src/initiator/selfcheck.js';
import { sendsize } from '../../src/initiator/sendsize.js';
import { serve, type ServiceEvent } from '../../src/target/serve.js';
import type { BackupEntry, DumpBase } from '../../src/target/services/backup-entry.js';
import {
  backupServices,
  type BackupServicesOptions,
} from '../../src/target/services/backup-services.js';
import type { DumpJournal } from '../../src/target/services/dump-journal.js';
import { tarArchive } from '../../src/target/services/tar-archive.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { AmandaError } from '../../src/wire/errors.js';

const shop: Dle = { program: 'GNUTAR', disk: 'shop', index: true };

function client(
  entry: BackupEntry,
  options: BackupServicesOptions = {},
  events: ServiceEvent[] = [],
): Observable<Connection> {
  return new Observable((out) => {
    const { driver, listener } = memory();
    serve(
      listener,
      backupServices(() => entry, options),
    )
      .pipe(takeWhile(({ kind }) => kind !== 'disconnected'))
      .subscribe((event) => {
        events.push(event);
      });
    return connect(driver).subscribe(out);
  });
}

async function received(connection: Observable<Connection>, dle: Dle): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await lastValueFrom(
    connection.pipe(
      dump({ dle }),
      receiveDump(() => ({
        data: (chunk) => {
          chunks.push(Buffer.from(chunk));
          return [];
        },
      })),
    ),
  );
  return Buffer.concat(chunks);
}

async function found(entry: BackupEntry, dle: Dle, options?: BackupServicesOptions) {
  const findings = await lastValueFrom(
    client(entry, options).pipe(selfcheck({ dles: [dle] }), toArray()),
  );
  return findings.map(({ text }) => text);
}

function memoryJournal(): DumpJournal & { readonly dumps: Map<string, readonly DumpBase[]> } {
  const dumps = new Map<string, readonly DumpBase[]>();
  return {
    dumps,
    read: (key) => dumps.get(key) ?? [],
    write: (key, all) => void dumps.set(key, all),
  };
}

const files = (content: string) => tarArchive({ files: [{ name: 'a.txt', content }] });
const entry: BackupEntry = { estimate: () => 1_000, dump: () => files('hello') };

describe('an estimate', () => {
  it('finds the entry once, and makes no image', async () => {
    const dumped = vi.fn(() => files('hello'));
    const estimate = vi.fn((level: number) => (level === 0 ? 5_000 : 500));
    const sizes = await lastValueFrom(
      client({ estimate, dump: dumped }).pipe(
        sendsize({ dles: [{ ...shop, levels: [{ level: 0 }, { level: 1 }] }] }),
        toArray(),
      ),
    );
    expect(sizes).toMatchObject([{ kilobytes: 5 }, { kilobytes: 1 }]);
    expect(estimate.mock.calls).toEqual([
      [0, undefined],
      [1, undefined],
    ]);
    expect(dumped).not.toHaveBeenCalled();
  });

  it('is not asked for by a check or a dump', async () => {
    const estimate = vi.fn(() => 1);
    await found({ ...entry, estimate }, shop);
    await received(client({ ...entry, estimate }), shop);
    expect(estimate).not.toHaveBeenCalled();
  });
});

describe('with a journal', () => {
  const levels = [{ level: 0 }, { level: 1 }, { level: 2 }];

  it('a level without a finished base is not offered', async () => {
    const estimated = await lastValueFrom(
      client(entry, { journal: memoryJournal() }).pipe(
        sendsize({ dles: [{ ...shop, levels }] }),
        toArray(),
      ),
    );
    expect(estimated).toMatchObject([{ kilobytes: 1 }, { kind: 'none' }, { kind: 'none' }]);
    await expect(
      received(client(entry, { journal: memoryJournal() }), { ...shop, levels: [{ level: 1 }] }),
    ).rejects.toThrow('no finished dump is known that level 1 could build on');
  });

  it('each level gets the finished dump that it builds on, with its state', async () => {
    const journal = memoryJournal();
    const bases: unknown[] = [];
    const ended: unknown[] = [];
    const counting: BackupEntry = {
      ...entry,
      dump: (level, base) => {
        bases.push([level, base?.level, base?.state]);
        return { ...files('hello'), state: { row: bases.length } };
      },
      done: (level, end) => void ended.push([level, end.kind]),
    };
    for (const level of [0, 1, 2, 1]) {
      await received(client(counting, { journal }), { ...shop, levels: [{ level }] });
      await vi.waitFor(() => expect(ended).toHaveLength(bases.length));
    }
    expect(bases).toEqual([
      [0, undefined, undefined],
      [1, 0, { row: 1 }],
      [2, 1, { row: 2 }],
      [1, 0, { row: 1 }],
    ]);
    expect(ended).toEqual([0, 1, 2, 1].map((level) => [level, 'whole']));
    expect([...journal.dumps.values()].flat().map(({ level }) => level)).toEqual([0, 1]);
  });

  it('a dump that is not to be recorded is not remembered', async () => {
    const journal = memoryJournal();
    const done = vi.fn();
    await received(client({ ...entry, done }, { journal }), { ...shop, record: false });
    await vi.waitFor(() => expect(done).toHaveBeenCalledWith(0, { kind: 'whole' }));
    expect(journal.dumps.size).toBe(0);
  });

  it('that fails, the dump has failed for the program', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const done = vi.fn();
    const journal = {
      read: () => [],
      write: () => Promise.reject(new AmandaError('FILE_FAILED', 'no space')),
    };
    await received(client({ ...entry, done }, { journal }), shop);
    await vi.waitFor(() =>
      expect(done).toHaveBeenCalledWith(0, {
        kind: 'failed',
        error: expect.objectContaining({ code: 'FILE_FAILED' }) as unknown,
      }),
    );
    expect(warned).toHaveBeenCalledOnce();
    warned.mockRestore();
  });
});

describe('the program hears once how a dump ended', () => {
  it('cut, when the server leaves', async () => {
    const done = vi.fn();
    const journal = memoryJournal();
    const endless: BackupEntry = {
      ...entry,
      dump: () => ({
        data: async function* () {
          for (;;) {
            await new Promise((resolve) => setTimeout(resolve, 1));
            yield Buffer.alloc(10);
          }
        },
      }),
      done,
    };
    await new Promise<void>((resolve) => {
      const left = client(endless, { journal })
        .pipe(
          dump({ dle: shop }),
          receiveDump(() => ({
            data: () => {
              resolve();
              return NEVER;
            },
          })),
        )
        .subscribe();
      setTimeout(() => left.unsubscribe(), 100);
    });
    await vi.waitFor(() => expect(done).toHaveBeenCalledOnce());
    expect(done).toHaveBeenCalledWith(0, { kind: 'cut' });
    expect(journal.dumps.size).toBe(0);
  });

  it('failed, when its data fail', async () => {
    const done = vi.fn();
    const journal = memoryJournal();
    const failing: BackupEntry = {
      ...entry,
      dump: () => ({
        data: function* () {
          yield Buffer.from('some');
          throw new Error('disk on fire');
        },
      }),
      done,
    };
    await expect(received(client(failing, { journal }), shop)).rejects.toThrow(
      'the service failed',
    );
    await vi.waitFor(() => expect(done).toHaveBeenCalledOnce());
    expect(done.mock.calls[0]).toMatchObject([
      0,
      { kind: 'failed', error: { message: 'disk on fire' } },
    ]);
    expect(journal.dumps.size).toBe(0);
  });
});

describe('what takes too long', () => {
  it('is a find', async () => {
    const { driver, listener } = memory();
    serve(
      listener,
      backupServices(() => new Promise(() => undefined), { findTimeout: 20 }),
    ).subscribe();
    const findings = await lastValueFrom(
      connect(driver).pipe(selfcheck({ dles: [shop] }), toArray()),
    );
    expect(findings).toMatchObject([{ text: '[it was not found within 0.02 s]' }]);
  });

  it('is the next bytes of an image, whose disk is named in the reply and the event', async () => {
    const events: ServiceEvent[] = [];
    const stopped = vi.fn();
    const hanging: BackupEntry = {
      ...entry,
      dump: () => ({
        data: () =>
          new Observable<Uint8Array>((out) => {
            out.next(Buffer.from('some'));
            return stopped;
          }),
      }),
    };
    await expect(received(client(hanging, { sourceTimeout: 30 }, events), shop)).rejects.toThrow(
      'the data of shop stood still for 0.03 s',
    );
    await vi.waitFor(() => expect(events.some(({ kind }) => kind === 'ended')).toBe(true));
    const end = events.find((event) => event.kind === 'ended' && event.outcome === 'failed');
    expect(end).toMatchObject({ error: { message: expect.stringContaining('shop') as unknown } });
    await vi.waitFor(() => expect(stopped).toHaveBeenCalledOnce());
  });
});

describe('what the disk list says', () => {
  it.each(['FAST', 'BEST'] as const)('compression %s on the client is done', async (method) => {
    const content = 'hello '.repeat(10_000);
    const bytes = await received(client({ ...entry, dump: () => files(content) }), {
      ...shop,
      compress: { method },
    });
    expect(bytes.length).toBeLessThan(1_000);
    expect(gunzipSync(bytes).toString()).toContain(content);
  });

  it('exclude and include are honoured by an entry that selects', async () => {
    const named = (...names: readonly string[]) => ({ files: names, lists: [], optional: false });
    const selecting: BackupEntry = {
      ...entry,
      selects: true,
      dump: () =>
        tarArchive({
          files: ['a.txt', 'a.tmp', 'logs/x', 'b.txt'].map((name) => ({ name, content: name })),
        }),
    };
    const dle = { ...shop, exclude: named('*.tmp', './logs'), include: named('./a*', './logs') };
    expect(await found(selecting, dle)).toEqual(['shop']);
    const text = (await received(client(selecting), dle)).toString('latin1');
    expect([...text.matchAll(/\.\/[\w./]+/g)].map(([name]) => name)).toEqual(['./a.txt']);
  });

  const lists = { files: [], lists: ['/etc/passwd'], optional: false };
  const patterns = { files: ['*.o'], lists: [], optional: false };
  it.each<[string, Partial<Dle>, string]>([
    [
      'a custom compression',
      { compress: { method: 'CUSTOM', program: 'zstd' } },
      'a custom program for compression',
    ],
    ['an encryption on the client', { encrypt: { method: 'CUSTOM' } }, 'encryption on the client'],
    ['kencrypt', { kencrypt: true }, 'encryption on the client'],
    ['DIRECTTCP', { datapath: { kind: 'DIRECTTCP', addresses: [] } }, 'the data path DIRECTTCP'],
    [
      'scripts',
      { scripts: [{ plugin: 'script-email', properties: [], executeOn: [] }] },
      'scripts are not supported',
    ],
    ['an exclude list', { exclude: lists }, 'exclude lists are not supported'],
    ['an include list', { include: lists }, 'include lists are not supported'],
    ['exclude', { exclude: patterns }, 'exclude is not supported'],
    ['another program', { program: 'DUMP' }, 'must have the program GNUTAR, not DUMP'],
    [
      'an application',
      { program: 'APPLICATION', backupProgram: { plugin: 'ampgsql', properties: [] } },
      'must have the program GNUTAR, not ampgsql',
    ],
  ])('%s fails the check and the dump', async (_, setting, why) => {
    const dle = { ...shop, ...setting };
    expect(await found(entry, dle)).toEqual([expect.stringContaining(why)]);
    await expect(received(client(entry), dle)).rejects.toThrow(why);
  });

  it('an application of its own name has that name in the header', async () => {
    const own: BackupEntry = { ...entry, application: 'shop-dump' };
    const dle: Dle = {
      ...shop,
      program: 'APPLICATION',
      backupProgram: { plugin: 'shop-dump', properties: [] },
    };
    expect(await found(own, dle)).toEqual(['shop']);
    expect(await found(own, shop)).toEqual([
      '[the entry must have the application shop-dump, not GNUTAR]',
    ]);
    const events = await lastValueFrom(
      client(own).pipe(
        dump({ dle }),
        receiveDump(() => ({ data: () => [] })),
        toArray(),
      ),
    );
    expect(events.find(({ kind }) => kind === 'started')).toMatchObject({
      info: { application: 'shop-dump' },
    });
  });
});
