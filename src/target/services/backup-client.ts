import { Observable, concat, lastValueFrom, from, of, throwError, timeout } from 'rxjs';
import { reply, type IncomingRequest, type ServiceReply } from '../../exchange/service.js';
import type { Dle } from '../../wire/dle/dle.js';
import { AmandaError } from '../../wire/errors.js';
import { formatOptions } from '../../wire/options.js';
import { quote } from '../../wire/quote.js';
import { messageOf, printable } from '../../wire/text.js';
import { requestFeatures, requestOptions } from '../process/request-options.js';
import type { BackupEntry, DumpBase, FindEntry } from './backup-entry.js';
import { baseOf, withFinished, type DumpJournal } from './dump-journal.js';
import { readDumpHead, requestDles, type DumpHead } from './dump-request.js';
import { whatIsRefused } from './entry-rules.js';
import { asAmandaError, reason } from './failure-reason.js';
import { ImageDump } from './image-dump.js';
import { ourFeatures } from './noop-service.js';

/** More than our sendbackup has; a selfcheck replies with lines instead of JSON. */
export const clientFeatures = ourFeatures
  .with(
    'fe_options_compress_fast',
    'fe_options_compress_best',
    'fe_options_include_file',
    'fe_options_multiple_include',
    'fe_options_optional_include',
    'fe_program_application_api',
  )
  .without('fe_selfcheck_message', 'fe_options_exclude_list');
const optionsLine = formatOptions({ features: clientFeatures }).trimEnd();

/** Options of {@link backupServices}. */
export interface BackupServicesOptions {
  /** GNU tar, by its absolute path where dumps are restored. Default `/bin/tar`. */
  readonly tar?: string;
  /**
   * Remembers which dumps have finished. Without it no level builds on another, and each dump is a
   * full one.
   */
  readonly journal?: DumpJournal;
  /** Milliseconds that `find` may take; default 30,000. */
  readonly findTimeout?: number;
  /** Milliseconds that an image may take for its next bytes; default 600,000. */
  readonly sourceTimeout?: number;
}

/** A dump whose image has been made. */
interface PreparedDump {
  readonly asked: DumpHead;
  readonly entry: BackupEntry;
  readonly dump: ImageDump;
  /** The name of the entry in the journal. */
  readonly key: string;
  /** What the journal remembers of it when it has left whole. */
  readonly finished: DumpBase;
}

/** Answers a server from what a program offers. */
export class BackupClient {
  readonly #find: FindEntry;
  readonly #options: BackupServicesOptions;

  constructor(find: FindEntry, options: BackupServicesOptions) {
    this.#find = find;
    this.#options = options;
  }

  selfcheck(request: IncomingRequest): Promise<ServiceReply> {
    return linesOf(request, async (dle) => {
      const entry = await this.#entry(dle, request);
      return [typeof entry === 'string' ? `ERROR [${entry}]` : `OK ${quote(dle.disk)}`];
    });
  }

  sendsize(request: IncomingRequest): Promise<ServiceReply> {
    const options = requestOptions(request.arguments);
    const isQuoted = requestFeatures(options).has('fe_rep_sendsize_quoted_error');
    return linesOf(request, async (dle) => {
      const entry = await this.#entry(dle, request);
      const answers: string[] = [];
      for (const { level } of dle.levels ?? []) {
        const size =
          typeof entry === 'string' ? entry : await this.#estimate(entry, dle, level, request);
        const told =
          typeof size === 'number' ? `SIZE ${size}` : `ERROR ${isQuoted ? quote(size) : size}`;
        answers.push(`${quote(dle.disk)} ${level} ${told}`);
      }
      return answers;
    });
  }

  sendbackup(request: IncomingRequest): Observable<ServiceReply> {
    return new Observable((out) => {
      this.#prepare(request).then(
        (prepared) => {
          if ('body' in prepared) of(prepared).subscribe(out);
          else this.#run(prepared).subscribe(out);
        },
        (error: unknown) => {
          of(reply({ lines: [`ERROR ${reason(error, request)}`] })).subscribe(out);
        },
      );
    });
  }

  async #prepare(request: IncomingRequest): Promise<ServiceReply | PreparedDump> {
    const asked = readDumpHead(request);
    const refused = (why: string): ServiceReply => reply({ lines: [`ERROR [sendbackup: ${why}]`] });
    const entry = await this.#entry(asked.dle, request);
    if (typeof entry === 'string') return refused(entry);
    try {
      const { level } = asked;
      const base = await this.#base(asked.dle, level, request);
      if (base === 'none')
        return refused(`no finished dump is known that level ${level} could build on`);
      const at = new Date();
      const image = await entry.dump(level, base);
      const { tar = '/bin/tar', sourceTimeout = 600_000 } = this.#options;
      const words = { tar, application: entry.application, restore: image.restore };
      return {
        asked,
        entry,
        key: journalKey(asked.dle, request),
        dump: new ImageDump({ asked, image, words, request, sourceTimeout }),
        finished: { level, at, state: image.state },
      };
    } catch (error) {
      return refused(reason(error, request));
    }
  }

  /** Left at any time, it concludes once. */
  #run(prepared: PreparedDump): Observable<ServiceReply> {
    const { dump } = prepared;
    return new Observable((out) => {
      out.add(() => {
        this.#conclude(prepared).catch((error: unknown) => {
          process.emitWarning(`The end of a dump was not taken: ${messageOf(error)}`);
        });
      });
      const replied = of(reply({ lines: [optionsLine], streams: dump.streams() }));
      return concat(replied, dump.finished).subscribe(out);
    });
  }

  async #conclude({ asked, entry, dump, key, finished }: PreparedDump): Promise<void> {
    const { journal } = this.#options;
    const { level, dle } = asked;
    // The close of the last stream may still be told to the dump.
    await Promise.resolve();
    let end = dump.stop();
    try {
      if (end.kind === 'whole' && dle.record !== false && journal !== undefined)
        await journal.write(key, withFinished(await journal.read(key), finished));
    } catch (error) {
      end = { kind: 'failed', error: asAmandaError(error) };
      process.emitWarning(`The journal does not have the dump: ${messageOf(error)}`);
    }
    await entry.done?.(level, end);
  }

  /** The entry, or the reason why there is none. */
  async #entry(dle: Dle, request: IncomingRequest): Promise<BackupEntry | string> {
    const { findTimeout = 30_000 } = this.#options;
    const late = (): Observable<never> =>
      throwError(
        () => new AmandaError('DEADLINE', `it was not found within ${findTimeout / 1000} s`),
      );
    try {
      const entry = await lastValueFrom(
        from(Promise.resolve(this.#find(dle))).pipe(timeout({ first: findTimeout, with: late })),
        { defaultValue: undefined },
      );
      if (entry === undefined) return `${printable(dle.disk)} is not offered for backup here`;
      return whatIsRefused(dle, entry) ?? entry;
    } catch (error) {
      return reason(error, request);
    }
  }

  /** Kilobytes; −2 for a level that is not offered; or the reason why there is no estimate. */
  async #estimate(
    entry: BackupEntry,
    dle: Dle,
    level: number,
    request: IncomingRequest,
  ): Promise<number | string> {
    try {
      const base = await this.#base(dle, level, request);
      if (base === 'none') return -2;
      const bytes = await entry.estimate(level, base);
      // A server takes an estimate of 0 as none.
      return Math.max(1, Math.ceil(bytes / 1024));
    } catch (error) {
      return reason(error, request);
    }
  }

  /** What a level builds on; `none` when it needs a base, and there is none. */
  async #base(
    dle: Dle,
    level: number,
    request: IncomingRequest,
  ): Promise<DumpBase | undefined | 'none'> {
    const { journal } = this.#options;
    if (journal === undefined || level === 0) return undefined;
    return baseOf(await journal.read(journalKey(dle, request)), level) ?? 'none';
  }
}

/** Two configurations of a server may have the same disk, each with levels of its own. */
function journalKey({ disk }: Dle, request: IncomingRequest): string {
  const { config = '', hostname = '' } = requestOptions(request.arguments);
  return JSON.stringify([config, hostname, disk]);
}

/** A reply with the lines of each entry that the request names. */
async function linesOf(
  request: IncomingRequest,
  answer: (dle: Dle) => Promise<readonly string[]>,
): Promise<ServiceReply> {
  const lines = [optionsLine];
  try {
    for (const dle of requestDles(request.arguments)) lines.push(...(await answer(dle)));
  } catch (error) {
    lines.push(`ERROR ${reason(error, request)}`);
  }
  return reply({ lines });
}
