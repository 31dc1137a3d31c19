import { RunningChecksum } from '../../../operators/checksum.js';
import { escapePath, shownPath } from '../../../initiator/recover/escaped-path.js';
import { formatChecksum, type Checksum } from '../../../wire/crc32c.js';
import type { DumpHeader } from '../../../wire/dumpfile.js';
import { messageOf, printable } from '../../../wire/text.js';
import { ImagePipeline } from '../../archive/image-pipeline.js';
import { nowhere } from '../../archive/image-takers.js';
import { TarReader, type TarMember } from '../../archive/tar-reader.js';
import { isTarImage } from '../../archive/tar-image.js';
import { flippedBit } from './flipped-bit.js';

/** Something that is wrong with a dump. */
export interface VerifyFinding {
  /** What was checked. */
  readonly check: 'header' | 'parts' | 'server' | 'checksum' | 'archive' | 'index';
  /** One sentence that says where. */
  readonly message: string;
}

/** What was found out about an image. */
export interface ImageVerdict {
  readonly bytes: number;
  readonly entries: number;
  /** What was compared: `server CRC`, `archive`, `index` … */
  readonly checked: readonly string[];
  readonly findings: readonly VerifyFinding[];
  /** The flipped bit, if one explains the checksum: its byte in the image. */
  readonly flippedByte: number | undefined;
}

/** The most names that a finding lists. */
const MOST_NAMES = 5;

/**
 * Checks an image while its bytes arrive: its checksums, its archive to the end, and the names in
 * it. Nothing is thrown; all becomes a finding.
 */
export class ImageCheck {
  readonly #header: DumpHeader;
  /** The names that have not come yet; undefined when they are not compared. */
  readonly #missing: Set<string> | undefined;
  readonly #stored = new RunningChecksum();
  readonly #reader: TarReader | undefined;
  readonly #findings: VerifyFinding[] = [];
  readonly #extra: string[] = [];
  #extraCount = 0;
  #pipeline: ImagePipeline | undefined;
  #isWhole = false;

  /** `names` are those of the index, in escaped form. */
  constructor(header: DumpHeader, allowed: readonly string[], names?: Iterable<string>) {
    this.#header = header;
    const isTar = isTarImage(header);
    this.#missing = names === undefined || !isTar ? undefined : new Set(names);
    this.#reader = isTar ? new TarReader((member) => this.#takeMember(member)) : undefined;
    try {
      const { nativeChecksum: _, ...plain } = header;
      this.#pipeline = new ImagePipeline({
        header: plain,
        reader: this.#reader,
        taker: nowhere,
        allowed,
      });
    } catch (error) {
      this.#find('archive', messageOf(error));
    }
  }

  /** Takes bytes as they are stored. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#stored.update(bytes);
    await this.#orFinding((pipeline) => pipeline.write(bytes));
  }

  async finish(): Promise<ImageVerdict> {
    const pipeline = this.#pipeline;
    await this.#orFinding((one) => one.finish());
    this.#isWhole = this.#pipeline !== undefined;
    const flippedByte = this.#compareChecksums(pipeline?.decoded);
    this.#compareNames();
    const { serverChecksum, clientChecksum, nativeChecksum } = this.#header;
    return {
      bytes: this.#stored.bytes,
      entries: this.#reader?.members ?? 0,
      checked: [
        ...(serverChecksum === undefined ? [] : ['server CRC']),
        ...(clientChecksum === undefined ? [] : ['client CRC']),
        ...(nativeChecksum === undefined ? [] : ['native CRC']),
        ...(this.#reader === undefined ? [] : ['archive']),
        ...(this.#missing === undefined ? [] : ['index']),
      ],
      findings: this.#findings,
      flippedByte,
    };
  }

  async #orFinding(work: (pipeline: ImagePipeline) => Promise<void>): Promise<void> {
    const pipeline = this.#pipeline;
    if (pipeline === undefined) return;
    try {
      await work(pipeline);
    } catch (error) {
      this.#pipeline = undefined;
      const last = this.#reader?.last;
      const where = last === undefined ? '' : ` The last entry before it is ${shownOf(last)}.`;
      this.#find('archive', `${messageOf(error)}${where}`);
      await pipeline.abort();
    }
  }

  #takeMember(member: TarMember): 'keep' {
    const name = escapePath(pathIn(member));
    if (this.#missing !== undefined && !this.#missing.delete(name)) {
      this.#extraCount++;
      if (this.#extra.length < MOST_NAMES) this.#extra.push(name);
    }
    return 'keep';
  }

  /** Returns the byte with the flipped bit, if one explains a difference. */
  #compareChecksums(decoded: Checksum | undefined): number | undefined {
    const { serverChecksum, clientChecksum, nativeChecksum } = this.#header;
    const stored = this.#stored;
    const first = serverChecksum ?? clientChecksum ?? nativeChecksum;
    const isStoredGood = serverChecksum === undefined || isEqual(serverChecksum, stored);
    if (serverChecksum !== undefined) this.#compare('server', serverChecksum, stored);
    const points = [stored, ...(this.#isWhole && decoded !== undefined ? [decoded] : [])];
    // Where the client's form is in between is known to the decoders alone.
    if (clientChecksum !== undefined && isStoredGood && this.#isWhole)
      if (!points.some((point) => isEqual(clientChecksum, point)))
        this.#compare('client', clientChecksum, stored);
    if (nativeChecksum !== undefined && this.#isWhole && isStoredGood && decoded !== undefined)
      this.#compare('native', nativeChecksum, decoded);
    if (first?.bytes !== stored.bytes || first.crc === stored.crc) return undefined;
    return flippedBit(first.crc, stored.crc, stored.bytes)?.byte;
  }

  #compare(name: string, expected: Checksum, actual: Checksum): void {
    if (isEqual(expected, actual)) return;
    const missing = expected.bytes - actual.bytes;
    const bit = missing === 0 ? flippedBit(expected.crc, actual.crc, actual.bytes) : undefined;
    const why =
      missing !== 0
        ? `${Math.abs(missing)} bytes are ${missing > 0 ? 'missing' : 'too many'}`
        : bit === undefined
          ? 'more than one bit differs'
          : `bit ${bit.bit} of byte ${bit.byte} of the image is flipped`;
    this.#find(
      'checksum',
      `The ${name} CRC is ${formatChecksum(actual.crc, actual.bytes)}, and ` +
        `${formatChecksum(expected.crc, expected.bytes)} in the header: ${why}.`,
    );
  }

  #compareNames(): void {
    const missing = this.#missing;
    if (missing === undefined || !this.#isWhole) return;
    if (missing.size > 0)
      this.#find('index', `The archive has no ${listed([...missing], missing.size)}.`);
    if (this.#extraCount > 0)
      this.#find('index', `The index has no ${listed(this.#extra, this.#extraCount)}.`);
  }

  #find(check: VerifyFinding['check'], message: string): void {
    this.#findings.push({ check, message });
  }
}

function listed(names: readonly string[], count: number): string {
  const shown = names.slice(0, MOST_NAMES).map((name) => printable(name));
  return shown.join(', ') + (count > shown.length ? ` and ${count - shown.length} more` : '');
}

function isEqual(a: Checksum, b: Checksum): boolean {
  return a.crc === b.crc && a.bytes === b.bytes;
}

/** The path as an index has it: a directory ends in a slash. */
export function pathIn({ name, type }: TarMember): string {
  const path = `/${name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
  return path !== '/' && (type === '5' || type === 'D') ? `${path}/` : path;
}

function shownOf(member: TarMember): string {
  return `${printable(shownPath(pathIn(member)))}, at byte ${member.at}`;
}
