import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { lastValueFrom, mergeMap } from 'rxjs';
import type { Stream } from '../../src/connection/stream.js';
import { connect } from '../../src/initiator/connect.js';
import type { Driver } from '../../src/drivers/driver.js';
import { request } from '../../src/exchange/request.js';
import { Features } from '../../src/wire/features.js';
import type { Configuration } from './amanda-config.js';
import { type Lab, programs } from './real-amanda.js';

/** Dumps one disk by the real programs alone, so that there is something to recover. */
export async function dumpOnce(
  lab: Lab,
  { name, path }: { readonly name: string; readonly path: string },
): Promise<Configuration> {
  const config = lab.configure({ name: 'dumped-once', auth: 'local', disks: [{ name, path }] });
  const { code, stdout, stderr } = await lab.asBackup(programs.amdump, [config.name], {
    timeout: 100_000,
  });
  if (code !== 0)
    throw new Error(`amdump ended with ${code}: ${stdout}${stderr}${lab.sandbox.logs()}`);
  return config;
}

/**
 * What amrecover does over the network, by our initiator: looks a dump up with amindexd and has
 * amidxtaped read it from tape. Resolves to the image. Source: PROTOCOL.md, "amindexd" and
 * "amidxtaped".
 */
export async function recoverImage(
  driver: Driver,
  { name }: Configuration,
  disk: string,
): Promise<Buffer> {
  return readFromTape(driver, name, disk, await lookUp(driver, name, disk));
}

/**
 * Asks amidxtaped for a dump, and leaves before its header by closing CTL. Resolves when amidxtaped
 * has closed its streams. Source: PROTOCOL.md, "Leaving amidxtaped".
 */
export async function leaveAmidxtaped(
  driver: Driver,
  { name }: Configuration,
  disk: string,
): Promise<void> {
  const place = await lookUp(driver, name, disk);
  await converse(driver, 'amidxtaped', async ({ CTL }) => {
    await askForDump(CTL, name, disk, place);
    CTL?.complete();
  });
}

/** Unpacks an image of GNU tar into a new folder, which is returned. */
export function unpack(image: Uint8Array, directory: string): string {
  mkdirSync(directory);
  const { status, stderr } = spawnSync('tar', ['-xpGf', '-', '-C', directory], { input: image });
  if (status !== 0) throw new Error(`tar ended with ${status}: ${stderr.toString()}`);
  return directory;
}

/** Where amindexd says that a dump is. */
interface Place {
  readonly label: string;
  readonly file: string;
  readonly datestamp: string;
}

async function lookUp(driver: Driver, config: string, disk: string): Promise<Place> {
  const told = await converse(driver, 'amindexd', async ({ MESG }) => {
    const { say, hear } = dialogue(MESG);
    await hear(/^220 /);
    for (const command of [
      `FEATURES ${Features.amanda351.toString()}`,
      'DATE 2099-12-31',
      `SCNF ${config}`,
      'HOST localhost',
      `DISK ${disk}`,
    ]) {
      say(command);
      await hear(/^200 /);
    }
    say('OLSD /');
    await hear(/^200- /);
    const first = await hear(/^201- /);
    while ((await hear(/^20[01]/)).startsWith('201-'));
    say('QUIT');
    await hear(/^200 /);
    return first;
  });
  const [, stamp = '', label = '', file = ''] = /^201- (\S+) 0 "([^"]*)" (\d+) /.exec(told) ?? [];
  return { label, file, datestamp: stamp.replaceAll('-', '') };
}

function readFromTape(driver: Driver, config: string, disk: string, place: Place): Promise<Buffer> {
  return converse(driver, 'amidxtaped', async ({ CTL, DATA, STATE }) => {
    const data = collect(DATA);
    const state = collect(STATE);
    const { say, hear, header } = await askForDump(CTL, config, disk, place);
    for (const [said, ...answers] of [
      [undefined, 'HEADER-READY', 'HEADER-DONE'],
      [/^STATE-SEND/, 'STATE-READY', 'STATE-DONE'],
      [/^USE-DAR /, 'USE-DAR NO', 'AVAIL-DATAPATH AMANDA'],
      [/^USE-DATAPATH AMANDA/, 'DATAPATH-OK'],
      [/^DATA-SEND/, 'DATA-READY'],
    ] as const) {
      if (said !== undefined) await hear(said);
      for (const answer of answers) say(answer);
    }
    await state;
    return (await data).subarray(header);
  });
}

/** Names a dump to amidxtaped; resolves when the dump is found. `header`: bytes of its header. */
async function askForDump(
  CTL: Stream | undefined,
  config: string,
  disk: string,
  { label, file, datestamp }: Place,
): Promise<Dialogue & { readonly header: number }> {
  const { say, hear } = dialogue(CTL);
  say(`FEATURES=${Features.amanda351.toString()}`);
  await hear(/^FEATURES=/);
  const place = [
    `LABEL=${label}`,
    `FSF=${file}`,
    'HEADER',
    'DEVICE=vtapes',
    'HOST=^localhost$',
    `DISK=^${disk}$`,
    `DATESTAMP=${datestamp}`,
  ];
  for (const line of [`CONFIG=${config}`, ...place, 'END']) say(line);
  const header = Number((await hear(/^HEADER-SEND-SIZE /)).split(' ')[1]);
  return { say, hear, header };
}

type Streams = Readonly<Record<string, Stream>>;

function converse<T>(
  driver: Driver,
  service: string,
  talk: (streams: Streams) => Promise<T>,
): Promise<T> {
  const asked = { service, options: { features: Features.amanda351, auth: driver.name } };
  return lastValueFrom(
    connect(driver).pipe(
      request(asked),
      mergeMap(({ streams }) =>
        talk(streams).catch((error: unknown) => {
          // The end of the channel would leave the service, and keep its volume reserved.
          for (const stream of Object.values(streams)) stream.complete();
          throw error;
        }),
      ),
    ),
  );
}

interface Dialogue {
  readonly say: (line: string) => void;
  /** The next line; it is an error if it is another one. */
  readonly hear: (expected: RegExp) => Promise<string>;
}

function dialogue(stream: Stream | undefined): Dialogue {
  const wire = present(stream);
  const incoming = createInterface({ input: wire.toReadable() })[Symbol.asyncIterator]();
  return {
    say: (line) => {
      wire.next(Buffer.from(`${line}\r\n`));
    },
    hear: async (expected) => {
      const { value: line = 'nothing any more' } = (await incoming.next()) as { value?: string };
      if (!expected.test(line))
        throw new Error(`Instead of ${expected.source} the service said: ${line}`);
      return line;
    },
  };
}

function collect(stream: Stream | undefined): Promise<Buffer> {
  return buffer(present(stream).toReadable());
}

function present(stream: Stream | undefined): Stream {
  if (stream === undefined) throw new Error('The service has not announced one of its streams.');
  return stream;
}
