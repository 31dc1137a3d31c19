import { RunningChecksum } from '../operators/checksum.js';
import type { Checksum } from '../wire/crc32c.js';
import { AmandaError } from '../wire/errors.js';
import { printable } from '../wire/text.js';
import type { BackupMessage } from './backup-message.js';
import { toDumpInfo, type DumpInfo } from './dump-info.js';
import { IndexCount } from './index-count.js';
import { judgeDump } from './judge-dump.js';
import type { DumpOutcome, DumpProgress } from './dump-outcome.js';
import { retryLater } from './retry.js';
import type { Dump } from './sendbackup.js';

/** The most strange lines that are kept; a dump may have one for each file. */
const MAX_STRANGE = 100;
/** The most info lines that are kept; a real dump has about ten. */
const MAX_INFO = 64;

/** The record of a dump that is being received. */
export class DumpRecord {
  readonly index = new IndexCount();
  readonly #dump: Dump;
  readonly #received = new RunningChecksum();
  readonly #info = new Map<string, string>();
  readonly #strange: string[] = [];
  #strangeCount = 0;
  #size: number | undefined;
  #ended = false;
  #native: Checksum | undefined;
  #client: Checksum | undefined;

  constructor(dump: Dump) {
    this.#dump = dump;
  }

  get info(): DumpInfo {
    return toDumpInfo(this.#info);
  }

  get progress(): DumpProgress {
    return {
      bytes: this.#received.bytes,
      files: this.index.files,
      directories: this.index.directories,
    };
  }

  /** Takes bytes of the image. */
  takeData(chunk: Uint8Array): void {
    this.#received.update(chunk);
  }

  /** Takes a line of MESG. Throws if it means that the dump has failed. */
  takeMessage(message: BackupMessage): void {
    switch (message.kind) {
      case 'info':
        if (this.#info.size < MAX_INFO) this.#info.set(message.name, message.value);
        return;
      case 'strange':
        this.#strangeCount++;
        if (this.#strange.length < MAX_STRANGE) this.#strange.push(message.text);
        return;
      case 'size':
        this.#size = message.kilobytes ?? -1;
        return;
      case 'checksum':
        if (message.of === 'native') this.#native = message.checksum;
        else this.#client = message.checksum;
        return;
      case 'end':
        this.#ended = true;
        return;
      case 'error':
        throw this.#failure(message.text);
      case 'retry':
        throw retryLater(message.advice, this.#dump.peer);
      default:
    }
  }

  /** Takes the close of MESG. Throws `INCOMPLETE_DUMP` when `end` did not come before. */
  endMessages(): void {
    if (this.#ended) return;
    const { dle, peer } = this.#dump;
    throw new AmandaError(
      'INCOMPLETE_DUMP',
      `The dump of ${dle.disk} from ${peer} is not whole: sendbackup stopped before it reported its end.${this.#hint()}`,
      {
        peer,
      },
    );
  }

  /** Takes the close of all streams. Throws `INCOMPLETE_DUMP` or `CHECKSUM_MISMATCH`. */
  outcome(): DumpOutcome {
    const { dle, peer } = this.#dump;
    const received: Checksum = { crc: this.#received.crc, bytes: this.#received.bytes };
    const [size, native, client] = [this.#size, this.#native, this.#client];
    const wrong = judgeDump({
      dle,
      peer,
      info: this.info,
      received,
      ended: this.#ended,
      indexed: this.#dump.index !== undefined,
      size,
      native,
      client,
    });
    if (wrong !== undefined) throw wrong;
    return {
      ...this.progress,
      kind: this.#strangeCount > 0 ? 'strange' : 'success',
      received,
      checksum: this.#received.toString(),
      size: size === undefined || size < 0 ? undefined : size,
      native,
      client,
      strange: [...this.#strange],
      strangeCount: this.#strangeCount,
    };
  }

  #failure(text: string): AmandaError {
    const { dle, peer } = this.#dump;
    return new AmandaError(
      'SERVICE_FAILED',
      `The dump of ${dle.disk} from ${peer} failed: ${printable(text)}.${this.#hint()}`,
      { peer },
    );
  }

  /** The dump program's own message says more than sendbackup's summary. */
  #hint(): string {
    const [first] = this.#strange;
    return first === undefined ? '' : ` It said: ${printable(first)}`;
  }
}
