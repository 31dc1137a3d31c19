import { once } from 'node:events';
import { EMPTY } from 'rxjs';
import { reply, type ServiceReply, type StreamHandler } from '../../exchange/service.js';
import { Checksum } from '../../operators/checksum.js';
import { formatOptions } from '../../wire/options.js';
import { quote } from '../../wire/quote.js';
import { printable, encodeText } from '../../wire/text.js';
import { holdData } from '../process/hold-data.js';
import { reap } from '../process/reap.js';
import type { DumpRequest } from './dump-request.js';
import { indexLines } from './index-lines.js';
import { ourFeatures } from './our-features.js';
import { takeSnapshot, type Snapshot } from './snapshot.js';
import { startDumper, startLister, type Dumper, type Lister } from './tar.js';
import { tarMessage } from './tar-messages.js';
import { textLines } from './text-lines.js';

export interface DumpTools {
  /** GNU tar, by its absolute path. Default `/bin/tar`. */
  readonly tar: string;
  /**
   * The folder for what incremental dumps are based on. Without one only level 0 is possible. A dump is
   * noted there when its request asks for that (`record`) and it has succeeded.
   */
  readonly listDir: string | undefined;
}

/** What there is to tell of. */
interface Parts {
  readonly dumper: Dumper;
  readonly lister: Lister | undefined;
  readonly snapshot: Snapshot;
  /** When the data have been sent. */
  readonly whole: Promise<void>;
}

/** One dump: a tar that makes it, another that lists it, and what there is to say of it. */
export class Dump {
  readonly #asked: DumpRequest;
  readonly #tools: DumpTools;
  readonly #snapshot: Promise<Snapshot>;
  readonly #checksum = new Checksum();
  #dumper: Dumper | undefined;
  #lister: Lister | undefined;
  #stopped = false;

  constructor(asked: DumpRequest, tools: DumpTools) {
    this.#asked = asked;
    this.#tools = tools;
    this.#snapshot = takeSnapshot(tools.listDir, `${asked.host}:${asked.dle.disk}`, asked.level);
  }

  /** Starts tar, and says what is there to be read. Rejects with what keeps tar from starting. */
  async start(): Promise<ServiceReply> {
    const snapshot = await this.#snapshot;
    if (this.#stopped) return reply();
    const dumper = startDumper(this.#tools.tar, this.#asked, snapshot.file);
    this.#dumper = dumper;
    await once(dumper.child, 'spawn');
    const lister =
      this.#asked.dle.index === true && !this.#stopped ? startLister(this.#tools.tar) : undefined;
    this.#lister = lister;
    return this.#reply(dumper, lister, snapshot);
  }

  /** Ends what runs and removes what is temporary. */
  stop(): void {
    this.#stopped = true;
    const running = [this.#dumper, this.#lister].flatMap((tar) => tar ?? []);
    for (const tar of running) {
      for (const end of [tar.stdout, 'stderr' in tar ? tar.stderr : tar.stdin]) end.destroy();
      reap(tar.child, { beforeTerm: 0 });
    }
    // Tar may still write to it until it has ended. That it could not be taken is told by start; that it cannot be removed hurts nobody.
    Promise.all([this.#snapshot, this.#dumper?.exit])
      .then(([snapshot]) => snapshot.discard())
      .catch(() => undefined);
  }

  #reply(dumper: Dumper, lister: Lister | undefined, snapshot: Snapshot): ServiceReply {
    const { features, host } = this.#asked;
    let dataEnded: () => void = () => undefined;
    const whole = new Promise<void>((resolve) => {
      dataEnded = resolve;
    });
    const { messages, data } = holdData(
      this.#messages({ dumper, lister, snapshot, whole }),
      this.#data(dumper, lister, dataEnded),
    );
    const streams: Record<string, StreamHandler | undefined> = {
      DATA: () => data,
      MESG: () => messages,
      INDEX: undefined,
    };
    if (lister !== undefined) streams['INDEX'] = () => indexLines(lister.stdout);
    if (features.has('fe_sendbackup_stream_state')) streams['STATE'] = () => EMPTY;
    const options = formatOptions({
      features: features.has('fe_rep_options_features') ? ourFeatures : undefined,
      hostname: features.has('fe_rep_options_hostname') ? host : undefined,
    });
    return reply({ lines: [options.trimEnd()], streams });
  }

  async *#data(
    { stdout }: Dumper,
    lister: Lister | undefined,
    ended: () => void,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of stdout) {
      const bytes = chunk as Uint8Array;
      this.#checksum.update(bytes);
      if (lister !== undefined) await give(lister, bytes);
      yield bytes;
    }
    lister?.stdin.end();
    ended();
  }

  async *#messages({
    dumper,
    lister,
    snapshot,
    whole,
  }: Parts): AsyncGenerator<Uint8Array, void, undefined> {
    const { host, dle, level } = this.#asked;
    const { tar } = this.#tools;
    const start = `start [${host}:${quote(dle.disk)} level ${level}]`;
    yield sendbackup(
      start,
      `info BACKUP=${tar}`,
      `info RECOVER_CMD=${tar} -xpGf - ...`,
      'info end',
    );
    let total: number | undefined;
    for await (const line of textLines(dumper.stderr)) {
      const { mark, bytes } = tarMessage(line);
      total = bytes ?? total;
      yield Buffer.from(`${mark} ${line}\n`, 'latin1');
    }
    const dumped = (await dumper.exit) ?? (total === undefined ? 'no backup size line' : undefined);
    await whole;
    // A list that stops half-way looks like a whole one, and files that are not in it cannot be found again.
    const failure = dumped ?? (await lister?.exit);
    yield failure === undefined
      ? await this.#conclusion(total ?? 0, snapshot)
      : sendbackup(`error [${failure}]`);
  }

  async #conclusion(total: number, snapshot: Snapshot): Promise<Uint8Array> {
    const { features, dle } = this.#asked;
    const sums = features.has('fe_sendbackup_crc')
      ? [`native-CRC ${this.#checksum.toString()}`, `client-CRC ${this.#checksum.toString()}`]
      : [];
    try {
      if (dle.record !== false) await snapshot.keep();
    } catch (error) {
      return sendbackup(
        ...sums,
        `error [${printable(error instanceof Error ? error.message : String(error))}]`,
      );
    }
    return sendbackup(...sums, `size ${Math.ceil(total / 1024)}`, 'end');
  }
}

/** Gives the lister what it will take; one that has stopped reading takes nothing more. */
async function give({ stdin }: Lister, bytes: Uint8Array): Promise<void> {
  if (!stdin.writable || stdin.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      stdin.off('drain', go).off('close', go);
      resolve();
    };
    stdin.on('drain', go).on('close', go);
  });
}

function sendbackup(...lines: readonly string[]): Uint8Array {
  return encodeText(lines.map((line) => `sendbackup: ${line}\n`).join(''));
}
