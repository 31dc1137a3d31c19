import { catchError, lastValueFrom, of, toArray } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { allowed } from '../../src/access/verdict.js';
import { RequestLog } from '../../src/cli/rx-amandad/request-log.js';
import { bsd, listenBsd } from '../../src/drivers/datagram/bsd.js';
import { bsdtcp, listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { bsdudp, listenBsdudp } from '../../src/drivers/datagram/bsdudp.js';
import { reply, type Service } from '../../src/exchange/service.js';
import { dump } from '../../src/initiator/dump.js';
import { connect } from '../../src/initiator/connect.js';
import { receiveDump } from '../../src/initiator/receive-dump.js';
import { processService } from '../../src/target/process/process-service.js';
import { serve, type ServiceEvent } from '../../src/target/serve.js';
import { backupServices } from '../../src/target/services/backup-services.js';
import type { BackupImage } from '../../src/target/services/backup-image.js';
import { noopService } from '../../src/target/services/noop-service.js';
import { sendbackupService } from '../../src/target/services/sendbackup-service.js';
import { encodeText } from '../../src/wire/text.js';
import { folder, script } from './scripts.js';

const host = '127.0.0.1';
const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

const at = { host, reservedPorts: false } as const;
const drivers = {
  bsdtcp: { listen: listenBsdtcp, driver: (port: number) => bsdtcp({ ...at, port }) },
  bsdudp: { listen: listenBsdudp, driver: (port: number) => bsdudp({ ...at, port }) },
  bsd: { listen: listenBsd, driver: (port: number) => bsd({ ...at, port }) },
};

type Ended = Extract<ServiceEvent, { kind: 'ended' }>;

/** Dumps once over a driver; resolves with how that ended at the target and its log line. */
async function dumpOver(
  name: keyof typeof drivers,
  sendbackup: Service,
  diskdevice?: string,
): Promise<{ readonly ended: Ended; readonly line: string }> {
  const { listen, driver } = drivers[name];
  const lines: string[] = [];
  const log = new RequestLog((line) => lines.push(line));
  const { port, ended } = await new Promise<{ port: number; ended: Promise<ServiceEvent> }>(
    (resolve, reject) => {
      const listener = listen({
        host,
        port: 0,
        onListening: (heard) => {
          resolve({ port: heard, ended: dumpEnded });
        },
      });
      let found: (event: ServiceEvent) => void = () => undefined;
      const dumpEnded = new Promise<ServiceEvent>((done) => (found = done));
      const services = { noop: noopService(), sendbackup };
      const serving = serve(listener, services, { authorize: () => of(allowed) }).subscribe({
        next: (event) => {
          log.take(event);
          if (event.kind === 'ended' && event.service === 'sendbackup') found(event);
        },
        error: reject,
      });
      open.push(() => {
        serving.unsubscribe();
      });
    },
  );
  const received = connect(driver(port)).pipe(
    dump({ dle: { program: 'GNUTAR', disk: 'shop', diskdevice, levels: [{ level: 0 }] } }),
    receiveDump(() => ({ data: () => [] })),
    // How the initiator sees it is told elsewhere.
    catchError(() => of()),
    toArray(),
  );
  await lastValueFrom(received);
  const event = await ended;
  if (event.kind !== 'ended') throw new Error('it is another event');
  return { ended: event, line: lines.find((one) => one.includes('service=sendbackup')) ?? '' };
}

const services = (image: () => BackupImage | undefined): Service =>
  backupServices(() => {
    const found = image();
    return found && { estimate: () => 0, dump: () => found };
  }).sendbackup;
const saying = (...messages: readonly string[]): Service => {
  const streams = {
    DATA: () => of(encodeText('data')),
    MESG: () => of(encodeText(messages.map((line) => `${line}\n`).join(''))),
    INDEX: undefined,
    STATE: () => of(),
  };
  return () => of(reply({ lines: ['OPTIONS ;'], streams }));
};
const cutOff = (): Service => () =>
  of(
    reply({
      lines: ['OPTIONS ;'],
      streams: {
        DATA: async function* () {
          yield encodeText('some');
          await Promise.resolve();
          throw new Error('the disk is gone');
        },
        MESG: () => of(encodeText('sendbackup: info end\n')),
      },
    }),
  );
/* eslint-disable require-yield -- These throw before the first bytes. */
async function* throwsBefore(): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  throw new Error('no orders today');
}
/* eslint-enable require-yield */
async function* throwsAmid(): AsyncGenerator<Uint8Array> {
  yield encodeText('x'.repeat(100_000));
  await Promise.resolve();
  throw new Error('the table is locked');
}

interface Kind {
  readonly what: string;
  readonly service: () => Service | Promise<Service>;
  readonly device?: string;
  readonly why: RegExp;
}

const kinds: readonly Kind[] = [
  {
    what: 'a reply with an ERROR line',
    service: () => () => of(reply({ lines: ['ERROR [no such disk here]'] })),
    why: /\[no such disk here\]/,
  },
  {
    what: 'a reply with a FAILED line',
    service: () => () => of(reply({ lines: ['FAILED the volume is locked'] })),
    why: /the volume is locked/,
  },
  {
    what: 'a message with an error, and the end all the same',
    service: () =>
      saying('sendbackup: info end', 'sendbackup: error [it broke]', 'sendbackup: end'),
    why: /it broke/,
  },
  {
    what: 'messages without an end',
    service: () => saying('sendbackup: info end', 'sendbackup: size 1'),
    why: /stop before their end line/,
  },
  {
    what: 'a service that throws',
    service: () => () => {
      throw new Error('a mistake in it');
    },
    why: /a mistake in it/,
  },
  { what: 'no image', service: () => services(() => undefined), why: /not offered for backup/ },
  {
    what: 'an image that throws before its data',
    service: () => services(() => ({ size: 1, data: throwsBefore })),
    why: /no orders today/,
  },
  {
    what: 'an image that throws amid its data',
    service: () => services(() => ({ size: 1, data: throwsAmid })),
    why: /the table is locked/,
  },
  { what: 'a stream of data that throws', service: cutOff, why: /the disk is gone/ },
  {
    what: "tar's exit code 2",
    service: async () =>
      sendbackupService({ tar: await script('echo bytes', 'echo "tar: bad" >&2', 'exit 2') }),
    device: '/tmp',
    why: /returned 2/,
  },
  {
    what: 'a folder that is missing',
    service: () => sendbackupService(),
    device: '/tmp/rx-amanda-no-such-folder',
    why: /returned 2/,
  },
  {
    what: 'an executable that is killed in its dump',
    service: async () =>
      processService(
        await script(
          'echo "CONNECT DATA 150 MESG 151"',
          'echo "OPTIONS ;"',
          'exec 1>&-',
          'echo "sendbackup: info end" >&152',
          // More than the pipe holds, so the reply is there before it dies.
          'head -c 4000000 /dev/zero >&150',
          'kill -KILL $$',
        ),
      ),
    why: /stop before their end line/,
  },
];

describe.each(Object.keys(drivers) as (keyof typeof drivers)[])('over %s', (name) => {
  test.each(kinds)('$what: the event and the log line say failed', async (kind) => {
    const { ended, line } = await dumpOver(name, await kind.service(), kind.device ?? '/tmp');
    expect(ended).toMatchObject({
      outcome: 'failed',
      service: 'sendbackup',
      disk: 'shop',
      level: 0,
      sent: expect.any(Number) as number,
      seconds: expect.any(Number) as number,
      error: { code: 'SERVICE_FAILED', message: expect.stringMatching(kind.why) as string },
    });
    expect(line).toMatch(
      / service=sendbackup disk=shop level=0 verdict=allowed outcome=failed sent=\d+ received=\d+ seconds=\d+\.\d{3} error="/,
    );
    expect(line).toMatch(kind.why);
  });

  test('a dump that is whole: both say completed', async () => {
    const source = await folder();
    for (const service of [
      services(() => ({ size: 1, data: () => of(encodeText('x')) })),
      sendbackupService(),
    ]) {
      const { ended, line } = await dumpOver(name, service, source);
      expect(ended).toMatchObject({ outcome: 'completed', error: undefined, disk: 'shop' });
      expect(line).toMatch(
        / disk=shop level=0 verdict=allowed outcome=completed .*seconds=[\d.]+$/,
      );
    }
  });
});
