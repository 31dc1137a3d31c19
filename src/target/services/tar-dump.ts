import { once } from 'node:events';
import { ReplaySubject, firstValueFrom } from 'rxjs';
import { reply, type ServiceReply } from '../../exchange/service.js';
import { RunningChecksum } from '../../operators/checksum.js';
import { formatOptions } from '../../wire/options.js';
import { encodeText, messageOf, printable } from '../../wire/text.js';
import { reap } from '../process/child-process.js';
import { holdData } from '../process/hold-data.js';
import type { DumpRequest } from './dump-request.js';
import { indexLines } from './index-lines.js';
import { ourFeatures } from './noop-service.js';
import {
  checksumLines,
  dumpDescription,
  messageLines,
  sendbackupStreams,
} from './sendbackup-streams.js';
import { takeSnapshot, type Snapshot } from './snapshot.js';
import {
  startDumper,
  startLister,
  tarMessage,
  textLines,
  type Dumper,
  type Lister,
} from './tar.js';

/** The programs and folders with which our sendbackup dumps. */
export interface DumpTools {
  /** GNU tar, by its absolute path. Default `/bin/tar`. */
  readonly tar: string;
  /**
   * The folder of the snapshots on which incremental dumps are based. Without one only level 0 is
   * possible. A successful dump is recorded there if its request asks for that (`record`).
   */
  readonly listDir: string | undefined;
}

/** Marked as strange, so that a report shows it. */
const NO_BASE = '? no dump of a lower level is recorded here, so this one has everything\n';

interface Parts {
  readonly dumper: Dumper;
  readonly lister: Lister | undefined;
  readonly snapshot: Snapshot | undefined;
}

/** One dump of a directory: a tar that makes it, and another that lists it. */
export class TarDump {
  readonly #asked: DumpRequest;
  readonly #tools: DumpTools;
  readonly #snapshot: Promise<Snapshot | undefined>;
  readonly #checksum = new RunningChecksum();
  /** Emits when the data have been sent. */
  readonly #dataSent = new ReplaySubject<void>(1);
  #dumper: Dumper | undefined;
  #lister: Lister | undefined;
  #stopped = false;

  constructor(asked: DumpRequest, tools: DumpTools) {
    this.#asked = asked;
    this.#tools = tools;
    const { listDir } = tools;
    this.#snapshot =
      listDir === undefined
        ? Promise.resolve(undefined)
        : takeSnapshot(listDir, `${asked.host}:${asked.dle.disk}`, asked.level);
  }

  /** Starts tar and makes the reply. Rejects when tar cannot be started. */
  async start(): Promise<ServiceReply> {
    const snapshot = await this.#snapshot;
    if (this.#stopped) return reply();
    const dumper = startDumper(this.#tools.tar, this.#asked, snapshot);
    this.#dumper = dumper;
    await once(dumper.child, 'spawn');
    const lister =
      this.#asked.dle.index === true && !this.#stopped ? startLister(this.#tools.tar) : undefined;
    this.#lister = lister;
    return this.#reply({ dumper, lister, snapshot });
  }

  /** Ends the processes and removes temporary files. */
  stop(): void {
    this.#stopped = true;
    const running = [this.#dumper, this.#lister].flatMap((tar) => tar ?? []);
    for (const tar of running) {
      for (const end of [tar.stdout, 'stderr' in tar ? tar.stderr : tar.stdin]) end.destroy();
      reap(tar.child, { beforeTerm: 0 });
    }
    // Tar may write to the snapshot until it has ended. An error of taking it is reported by start.
    Promise.all([this.#snapshot, this.#dumper?.exit])
      .then(([snapshot]) => snapshot?.discard())
      .catch(() => undefined);
  }

  #reply(parts: Parts): ServiceReply {
    const { features, host } = this.#asked;
    const { lister } = parts;
    const { messages, data } = holdData(this.#messages(parts), this.#data(parts));
    const streams = sendbackupStreams(this.#asked, {
      data: () => data,
      messages: () => messages,
      index: lister === undefined ? undefined : () => indexLines(lister.stdout),
    });
    const options = formatOptions({
      features: features.has('fe_rep_options_features') ? ourFeatures : undefined,
      hostname: features.has('fe_rep_options_hostname') ? host : undefined,
    });
    return reply({ lines: [options.trimEnd()], streams });
  }

  async *#data({ dumper, lister }: Parts): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of dumper.stdout) {
      const bytes = chunk as Uint8Array;
      this.#checksum.update(bytes);
      if (lister !== undefined) await feed(lister, bytes);
      yield bytes;
    }
    lister?.stdin.end();
    this.#dataSent.next();
  }

  async *#messages({
    dumper,
    lister,
    snapshot,
  }: Parts): AsyncGenerator<Uint8Array, void, undefined> {
    yield dumpDescription(this.#asked, { tar: this.#tools.tar });
    if (this.#asked.level > 0 && snapshot?.base === undefined) yield encodeText(NO_BASE);
    let total: number | undefined;
    for await (const line of textLines(dumper.stderr)) {
      const { mark, bytes } = tarMessage(line);
      total = bytes ?? total;
      yield Buffer.from(`${mark} ${line}\n`, 'latin1');
    }
    const notDumped =
      (await dumper.exit) ?? (total === undefined ? 'no backup size line' : undefined);
    await firstValueFrom(this.#dataSent, { defaultValue: undefined });
    // A list that was cut off looks like a whole one, and a file that is not in it cannot be found.
    const failure = notDumped ?? (await lister?.exit);
    yield failure === undefined
      ? await this.#conclusion(total ?? 0, snapshot)
      : messageLines(`error [${failure}]`);
  }

  async #conclusion(total: number, snapshot: Snapshot | undefined): Promise<Uint8Array> {
    const sums = checksumLines(this.#asked, this.#checksum);
    try {
      if (this.#asked.dle.record !== false) await snapshot?.keep();
    } catch (error) {
      return messageLines(...sums, `error [${printable(messageOf(error))}]`);
    }
    return messageLines(...sums, `size ${Math.ceil(total / 1024)}`, 'end');
  }
}

/** Writes to the lister at its pace, until it stops reading. */
async function feed({ stdin }: Lister, bytes: Uint8Array): Promise<void> {
  if (!stdin.writable || stdin.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      stdin.off('drain', go).off('close', go);
      resolve();
    };
    stdin.on('drain', go).on('close', go);
  });
}
