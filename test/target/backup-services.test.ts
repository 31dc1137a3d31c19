import { Readable } from 'node:stream';
import {
  NEVER,
  Observable,
  Subscription,
  concat,
  firstValueFrom,
  lastValueFrom,
  of,
  takeWhile,
  throwError,
  toArray,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { StreamSource } from '../../src/connection/pump.js';
import { connect } from '../../src/initiator/connect.js';
import { memory } from '../../src/drivers/memory.js';
import { dump } from '../../src/initiator/dump.js';
import { noop } from '../../src/initiator/noop.js';
import { receiveDump, type DumpEvent, type DumpOutcome } from '../../src/initiator/receive-dump.js';
import { selfcheck } from '../../src/initiator/selfcheck.js';
import { sendsize } from '../../src/initiator/sendsize.js';
import type { Connection } from '../../src/connection/connection.js';
import { serve, type ServiceEvent } from '../../src/target/serve.js';
import type { FindEntry } from '../../src/target/services/backup-entry.js';
import {
  backupServices,
  type BackupServicesOptions,
} from '../../src/target/services/backup-services.js';
import { tarArchive } from '../../src/target/services/tar-archive.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { AmandaError, isAmandaError } from '../../src/wire/errors.js';
import { Features } from '../../src/wire/features.js';
import { ask, contents, replyText, text } from './scripts.js';

const bytes = (content: string): Uint8Array => Buffer.from(content);

/** A connection to a program that offers what `find` finds. */
function client(
  find: FindEntry,
  options: BackupServicesOptions = {},
  events: ServiceEvent[] = [],
): Observable<Connection> {
  return new Observable((out) => {
    const { driver, listener } = memory();
    // It goes on until its connection ends, so that it sees how requests ended.
    serve(listener, backupServices(find, options))
      .pipe(takeWhile(({ kind }) => kind !== 'disconnected'))
      .subscribe((event) => {
        events.push(event);
      });
    return connect(driver).subscribe(out);
  });
}

/** Why requests have failed, as their events say. */
function failures(seen: readonly ServiceEvent[]): readonly string[] {
  return seen.flatMap((event) =>
    event.kind === 'ended' && event.outcome === 'failed' ? [event.error?.message ?? ''] : [],
  );
}

/** One disk, `shop`, of these bytes. */
function shop(data: () => StreamSource, paths: readonly string[] = [], size = 3000): FindEntry {
  return ({ disk }) =>
    disk === 'shop'
      ? {
          estimate: () => size,
          dump: () => ({
            data: (list) => {
              for (const path of paths) list(path);
              return data();
            },
          }),
        }
      : undefined;
}

interface Received {
  readonly outcome: DumpOutcome;
  readonly data: string;
  readonly index: string;
  readonly messages: readonly string[];
}

async function received(
  find: FindEntry,
  dle: Dle = { program: 'GNUTAR', disk: 'shop', index: true },
  seen: ServiceEvent[] = [],
): Promise<Received> {
  const got = { data: '', index: '' };
  const take = (name: 'data' | 'index') => (chunk: Uint8Array) => {
    got[name] += Buffer.from(chunk).toString();
    return [];
  };
  const events = await lastValueFrom(
    client(find, {}, seen).pipe(
      dump({ dle }),
      receiveDump(() => ({ data: take('data'), index: take('index') })),
      toArray(),
    ),
  );
  const last = events.at(-1);
  if (last?.kind !== 'done') throw new Error('it is not done');
  return {
    outcome: last.outcome,
    ...got,
    messages: events.flatMap((event: DumpEvent) =>
      event.kind === 'message' ? [event.message.kind] : [],
    ),
  };
}

const sources: readonly (readonly [string, () => StreamSource])[] = [
  [
    'an async generator',
    async function* () {
      yield bytes('one ');
      yield bytes('two');
    },
  ],
  [
    'a generator',
    function* () {
      yield bytes('one ');
      yield bytes('two');
    },
  ],
  ['an Observable', () => of(bytes('one '), bytes('two'))],
  ['a Readable', () => Readable.from([bytes('one '), bytes('two')])],
  ['a promise', () => Promise.resolve(bytes('one two'))],
];

describe('a dump of what a program makes', () => {
  it.each(sources)('comes whole from %s', async (_, source) => {
    const { outcome, data, index, messages } = await received(
      shop(source, ['/', '/a.csv', '/größe\t\\1']),
    );
    expect(outcome).toMatchObject({ kind: 'success' });
    expect(data).toBe('one two');
    expect(index).toBe('/\n/a.csv\n/gr\\303\\266\\303\\237e\\t\\\\1\n');
    expect(messages).toEqual([
      'start',
      'info',
      'info',
      'infoEnd',
      'checksum',
      'checksum',
      'size',
      'end',
    ]);
  });

  it('is described in the words of Amanda', async () => {
    const find = shop(() => of(bytes('123456789')));
    const asked = {
      service: 'sendbackup',
      options: { features: Features.amanda351, hostname: 'app.example' },
      body: '<dle><program>GNUTAR</program><disk>shop</disk><level>0</level></dle>\n',
    };
    const [names, said] = await ask(
      backupServices(find, { tar: '/usr/bin/tar' }).sendbackup,
      asked,
      async ({ text: reply, streams }) => {
        const [messages] = await Promise.all([
          text(streams['MESG']),
          contents(streams['DATA']),
          contents(streams['STATE']),
        ]);
        return [reply.split('\n')[0], messages];
      },
    );
    expect(names).toMatch(/^CONNECT DATA \d+ MESG \d+ INDEX -1 STATE \d+$/);
    expect(said.split('\n')).toEqual([
      'sendbackup: start [app.example:shop level 0]',
      'sendbackup: info BACKUP=/usr/bin/tar',
      'sendbackup: info RECOVER_CMD=/usr/bin/tar -xpGf - ...',
      'sendbackup: info end',
      'sendbackup: native-CRC e3069283:9',
      'sendbackup: client-CRC e3069283:9',
      'sendbackup: size 1',
      'sendbackup: end',
      '',
    ]);
  });

  it('can be an archive of files', async () => {
    const find: FindEntry = () => ({
      estimate: () => 6,
      dump: () => tarArchive({ files: [{ name: 'hello.txt', content: 'hello\n' }] }),
    });
    const { outcome, data, index } = await received(find);
    expect(outcome).toMatchObject({ kind: 'success' });
    expect(data.slice(0, 11)).toBe('./hello.txt');
    expect(index).toBe('/\n/hello.txt\n');
  });

  it.each<[string, () => StreamSource, string]>([
    [
      'its data fail to begin',
      () => {
        throw new Error('no such table');
      },
      'no such table',
    ],
    [
      'an Observable fails',
      () =>
        concat(
          of(bytes('some')),
          throwError(() => new Error('table\nlocked')),
        ),
      'table\\nlocked',
    ],
    [
      'an iteration fails',
      async function* () {
        yield bytes('some');
        throw new Error('table locked');
      },
      'table locked',
    ],
  ])('has failed, and says why to this side alone, when %s', async (_, source, why) => {
    const seen: ServiceEvent[] = [];
    const refusal = expect(received(shop(source), undefined, seen)).rejects;
    await refusal.toMatchObject({
      code: 'SERVICE_FAILED',
      message: expect.stringMatching(/the service failed/) as unknown,
    });
    await refusal.not.toHaveProperty('message', expect.stringContaining(why));
    await vi.waitFor(() => expect(failures(seen)).toEqual([expect.stringContaining(why)]));
  });

  it.each<[string, () => StreamSource, string]>([
    [
      'its data fail with an AmandaError',
      () => throwError(() => new AmandaError('SERVICE_FAILED', 'table\nlocked until noon')),
      'table\\nlocked until noon',
    ],
    ['there are no data', () => [], 'there was no data'],
  ])('has failed, and says why, when %s', async (_, source, why) => {
    await expect(received(shop(source))).rejects.toMatchObject({
      code: 'SERVICE_FAILED',
      message: expect.stringContaining(why) as unknown,
    });
  });

  it('is not asked for its bytes before its description has gone', async () => {
    const order: string[] = [];
    const find = shop(async function* () {
      order.push('asked');
      yield bytes('data');
    });
    await lastValueFrom(
      client(find).pipe(
        dump({ dle: { program: 'GNUTAR', disk: 'shop' } }),
        receiveDump(() => {
          order.push('described');
          return { data: () => [] };
        }),
      ),
    );
    expect(order).toEqual(['described', 'asked']);
  });

  it.each<[string, (stopped: () => void) => StreamSource]>([
    ['an Observable', (stopped) => concat(of(bytes('some')), new Observable<never>(() => stopped))],
    [
      'a generator',
      async function* (stopped) {
        try {
          for (;;) yield bytes('some more');
        } finally {
          stopped();
        }
      },
    ],
  ])('lets go of %s when the requester leaves', async (_, source) => {
    const left = new Subscription();
    const stopped = vi.fn();
    const find = shop(() => source(stopped));
    await new Promise<void>((resolve) => {
      const arrived = (): Observable<never> => {
        resolve();
        return NEVER;
      };
      left.add(
        client(find)
          .pipe(
            dump({ dle: { program: 'GNUTAR', disk: 'shop' } }),
            receiveDump(() => ({ data: arrived })),
          )
          .subscribe(),
      );
    });
    left.unsubscribe();
    await vi.waitFor(() => expect(stopped).toHaveBeenCalledOnce());
  });
});

describe('a program that serves its own data', () => {
  it('says what it can do, and no more than it does', async () => {
    const { features } = await firstValueFrom(client(shop(() => [])).pipe(noop()));
    expect(features.has('fe_sendbackup_stream_state')).toBe(true);
    expect(features.has('fe_program_gnutar')).toBe(true);
    expect(features.has('fe_selfcheck_message')).toBe(false);
    expect(features.has('fe_sendbackup_req_options_data_shm_control_name')).toBe(false);
  });

  const dles = ['shop', 'a "b"', 'broken', 'closed'].map(
    (disk) => ({ program: 'GNUTAR', disk }) as const,
  );
  const find: FindEntry = (dle) => {
    if (dle.disk === 'broken') throw new Error('the database is down');
    if (dle.disk === 'closed') throw new AmandaError('SERVICE_FAILED', 'closed on Sundays');
    const entry = {
      estimate: (level: number) => (level === 0 ? 3000 : 1),
      dump: () => ({ data: () => [] }),
    };
    return dle.disk === 'shop' ? entry : undefined;
  };

  it('says of each disk whether it can be dumped', async () => {
    const findings = await lastValueFrom(
      client(find).pipe(
        selfcheck({ dles: [...dles, { program: 'DUMP', disk: 'shop' }] }),
        toArray(),
      ),
    );
    expect(findings.map(({ severity, text: said }) => `${severity}: ${said}`)).toEqual([
      'info: shop',
      'error: [a "b" is not offered for backup here]',
      'error: [the service failed]',
      'error: [closed on Sundays]',
      'error: [the entry must have the program GNUTAR, not DUMP]',
    ]);
  });

  it('estimates each disk and level in kilobytes, or says why not', async () => {
    const seen: ServiceEvent[] = [];
    const estimates = await lastValueFrom(
      client(find, {}, seen).pipe(
        sendsize({ dles: dles.map((dle) => ({ ...dle, levels: [{ level: 0 }, { level: 1 }] })) }),
        toArray(),
      ),
    );
    expect(estimates).toEqual([
      { kind: 'size', disk: 'shop', level: 0, kilobytes: 3 },
      { kind: 'size', disk: 'shop', level: 1, kilobytes: 1 },
      { kind: 'error', disk: 'a "b"', level: 0, text: 'a "b" is not offered for backup here' },
      { kind: 'error', disk: 'a "b"', level: 1, text: 'a "b" is not offered for backup here' },
      { kind: 'error', disk: 'broken', level: 0, text: 'the service failed' },
      { kind: 'error', disk: 'broken', level: 1, text: 'the service failed' },
      { kind: 'error', disk: 'closed', level: 0, text: 'closed on Sundays' },
      { kind: 'error', disk: 'closed', level: 1, text: 'closed on Sundays' },
    ]);
    await vi.waitFor(() => {
      expect(failures(seen)).toEqual([
        'The service sendsize failed: the database is down; closed on Sundays',
      ]);
    });
    const [ended] = seen.filter((event) => event.kind === 'ended');
    expect(isAmandaError(ended?.error) && ended.error.cause).toMatchObject({
      errors: { length: 2, 0: { message: 'the database is down' } },
    });
  });

  it('does not quote the reason for a requester that cannot read that', async () => {
    const features = Features.amanda351.without('fe_rep_sendsize_quoted_error');
    const asked = {
      service: 'sendsize',
      options: { features },
      body: '<dle><program>GNUTAR</program><disk>broken</disk><level>0</level></dle>\n',
    };
    expect(await replyText(backupServices(find).sendsize, asked)).toMatch(
      /\nbroken 0 ERROR the service failed\n$/,
    );
  });

  it.each(['selfcheck', 'sendsize', 'sendbackup'] as const)(
    'answers a %s that it cannot read',
    async (service) => {
      const reply = await replyText(backupServices(find)[service], {
        service,
        options: {},
        body: '<dle><program>GNUTAR\n',
      });
      expect(reply).toMatch(/^(OPTIONS .*\n)?ERROR \S.*\n$/);
    },
  );

  it.each<[string, Dle, string]>([
    [
      'of another program',
      { program: 'DUMP', disk: 'shop' },
      'the entry must have the program GNUTAR, not DUMP',
    ],
    [
      'of nothing that it has',
      { program: 'GNUTAR', disk: 'other' },
      '[sendbackup: other is not offered for backup here]',
    ],
    [
      'of what it cannot find',
      { program: 'GNUTAR', disk: 'broken' },
      '[sendbackup: the service failed]',
    ],
  ])('refuses a dump %s', async (_, dle, why) => {
    await expect(firstValueFrom(client(find).pipe(dump({ dle })))).rejects.toMatchObject({
      code: 'SERVICE_FAILED',
      message: expect.stringContaining(why) as unknown,
    });
  });
});
