import { AmandaError } from '../../wire/errors.js';
import { decodeDumpdir, type Dumpdir } from './dumpdir.js';
import {
  badArchive,
  decodePaxRecords,
  decodeTarHeader,
  TAR_BLOCK,
  type TarHeader,
} from './tar-header.js';

/** A member of an archive. Names have one character for each byte. */
export interface TarMember {
  readonly name: string;
  /** As in the header; `D` also for a directory whose names are in records. */
  readonly type: string;
  readonly linkName: string;
  /** The names of a directory in an incremental dump. */
  readonly dumpdir: Dumpdir | undefined;
  /** Where its first header begins, in bytes. */
  readonly at: number;
}

/** What happens to a member: passed on, passed on without its renames, or left out. */
export type MemberChoice = 'keep' | 'keep-without-renames' | 'drop';

/** The most bytes of what precedes a member, and of the names of a directory. */
const MOST_FRONT = 64 * 1_048_576;
/** Types whose data is read as a part of the header. */
const FRONT_TYPES = 'LKxgD';
/** Files, links, directories, devices; 7 is a file, S a sparse one. */
const MEMBER_TYPES = '01234567SD';
const DATA_TYPES = '07S';
const SPARSE_CONTINUED = 504;

/**
 * Reads the members of a tar archive as the bytes arrive, and passes on those that are chosen.
 * Reads what GNU tar writes, also with pax headers; anything else is `BAD_ARCHIVE`.
 */
export class TarReader {
  readonly #choose: (member: TarMember) => MemberChoice;
  #state: 'block' | 'front' | 'sparse' | 'data' | 'end' = 'block';
  #at = 0;
  /** A block, or the data of a header, that is being gathered. */
  #gathered: Buffer = Buffer.alloc(TAR_BLOCK);
  #filled = 0;
  /** What precedes the member: blocks that are passed on or dropped with it. */
  #front: Buffer[] = [];
  #frontBytes = 0;
  /** Where the first of these blocks is. */
  #frontAt = 0;
  #frontHeader: TarHeader | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;
  #records: ReadonlyMap<string, string> | undefined;
  #recordsAt = 0;
  /** Bytes of data that are left of the present member. */
  #left = 0;
  #isKept = false;
  #members = 0;
  #last: TarMember | undefined;

  constructor(choose: (member: TarMember) => MemberChoice = () => 'keep') {
    this.#choose = choose;
  }

  /** How many members there were so far. */
  get members(): number {
    return this.#members;
  }

  /** The last member so far. */
  get last(): TarMember | undefined {
    return this.#last;
  }

  /** Takes bytes. Returns what passes on; some of it are views of them. */
  push(chunk: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (let at = 0; at < chunk.length;) {
      if (this.#state === 'end') {
        this.#at += chunk.length - at;
        break;
      }
      const taken = this.#state === 'data' ? this.#pass(chunk, at, out) : this.#gather(chunk, at);
      at += taken;
      this.#at += taken;
      if (this.#state !== 'data' && this.#filled === this.#gathered.length) this.#gatheredAll(out);
    }
    return out;
  }

  /** Throws unless the archive has ended with its mark. */
  finish(): void {
    if (this.#state === 'end') return;
    throw new AmandaError(
      'INCOMPLETE_DUMP',
      `The archive ends after ${this.#at} bytes, in the middle of it.`,
    );
  }

  #pass(chunk: Uint8Array, at: number, out: Uint8Array[]): number {
    const part = chunk.subarray(at, at + this.#left);
    if (this.#isKept) out.push(part);
    this.#left -= part.length;
    if (this.#left === 0) this.#expectBlock('block');
    return part.length;
  }

  #gather(chunk: Uint8Array, at: number): number {
    const part = chunk.subarray(at, at + this.#gathered.length - this.#filled);
    this.#gathered.set(part, this.#filled);
    this.#filled += part.length;
    return part.length;
  }

  #expectBlock(state: 'block' | 'sparse'): void {
    this.#state = state;
    this.#gathered = Buffer.alloc(TAR_BLOCK);
    this.#filled = 0;
  }

  #gatheredAll(out: Uint8Array[]): void {
    const block = this.#gathered;
    if (this.#state === 'front') {
      this.#takeFront(this.#frontHeader as TarHeader, block, out);
      return;
    }
    if (this.#state === 'sparse') {
      if (this.#isKept) out.push(block);
      this.#afterHeader(block[SPARSE_CONTINUED] !== 0);
      return;
    }
    const at = this.#at - TAR_BLOCK;
    const header = decodeTarHeader(block, at);
    if (header === undefined) {
      if (this.#front.length > 0) throw badArchive(`a header at byte ${at} has no member`);
      this.#state = 'end';
      return;
    }
    if (this.#front.length === 0) this.#frontAt = at;
    this.#front.push(block);
    if (FRONT_TYPES.includes(header.type) && header.size > 0) {
      this.#frontBytes += roundedUp(header.size);
      if (this.#frontBytes > MOST_FRONT) throw badArchive(`a header at byte ${at} is too large`);
      this.#frontHeader = header;
      this.#state = 'front';
      this.#gathered = Buffer.alloc(roundedUp(header.size));
      this.#filled = 0;
    } else this.#takeMember(header, undefined, out);
  }

  /** Takes the data of a header that belongs to the next one, or of a directory. */
  #takeFront(header: TarHeader, padded: Buffer, out: Uint8Array[]): void {
    this.#front.push(padded);
    const data = padded.subarray(0, header.size);
    if (header.type === 'D') {
      this.#takeMember(header, data, out);
      return;
    }
    const [text = ''] = data.toString('latin1').split('\0', 1);
    if (header.type === 'L') this.#longName = text;
    else if (header.type === 'K') this.#longLink = text;
    else if (this.#records !== undefined || header.type === 'g')
      throw badArchive(`the records before byte ${this.#at} are of an unknown kind`);
    else {
      this.#records = decodePaxRecords(data, this.#at);
      this.#recordsAt = this.#front.length - 1;
    }
    this.#expectBlock('block');
  }

  #takeMember(header: TarHeader, names: Buffer | undefined, out: Uint8Array[]): void {
    if (!MEMBER_TYPES.includes(header.type))
      throw badArchive(`a header before byte ${this.#at} is of the unknown type ${header.type}`);
    const records = this.#records ?? new Map<string, string>();
    if (
      (this.#longName !== undefined && records.has('path')) ||
      (this.#longLink !== undefined && records.has('linkpath'))
    )
      throw badArchive(`a member before byte ${this.#at} has two names`);
    const listed = names?.toString('latin1') ?? records.get('GNU.dumpdir');
    const isDirectory = header.type === 'D' || header.type === '5';
    if (listed !== undefined && !isDirectory)
      throw badArchive(`a member before byte ${this.#at} is a file with names in it`);
    const member: TarMember = {
      name: records.get('GNU.sparse.name') ?? records.get('path') ?? this.#longName ?? header.name,
      linkName: records.get('linkpath') ?? this.#longLink ?? header.linkName,
      type: isDirectory && listed !== undefined ? 'D' : header.type,
      dumpdir: listed === undefined ? undefined : decodeDumpdir(listed),
      at: this.#frontAt,
    };
    const size = sizeOf(header, records);
    const choice = this.#choose(member);
    this.#members++;
    this.#last = member;
    this.#isKept = choice !== 'drop';
    if (choice === 'keep-without-renames') this.#clearRenames(member, names);
    if (this.#isKept) out.push(...this.#front);
    this.#front = [];
    this.#frontBytes = 0;
    [this.#longName, this.#longLink, this.#records] = [undefined, undefined, undefined];
    this.#left = DATA_TYPES.includes(header.type) ? roundedUp(size) : 0;
    if (this.#left === 0 && size > 0 && header.type !== 'D' && header.type !== '1')
      throw badArchive(`a member before byte ${this.#at} has data that its type cannot have`);
    this.#afterHeader(header.isContinued);
  }

  #afterHeader(isContinued: boolean): void {
    if (isContinued) this.#expectBlock('sparse');
    else if (this.#left > 0) this.#state = 'data';
    else this.#expectBlock('block');
  }

  /** Ends the names before the first rename. NULs in place of the rest keep all sizes. */
  #clearRenames({ dumpdir }: TarMember, names: Buffer | undefined): void {
    if (dumpdir?.renamesAt === undefined) return;
    if (names !== undefined) {
      names.fill(0, dumpdir.renamesAt);
      return;
    }
    const data = this.#front[this.#recordsAt];
    const key = data?.indexOf('GNU.dumpdir=') ?? -1;
    const value = this.#records?.get('GNU.dumpdir') ?? '';
    const from = key + 'GNU.dumpdir='.length;
    data?.fill(0, from + dumpdir.renamesAt, from + value.length);
  }
}

function sizeOf({ size }: TarHeader, records: ReadonlyMap<string, string>): number {
  const text = records.get('size');
  if (text === undefined) return size;
  if (!/^\d{1,15}$/.test(text)) throw badArchive('the size of a member is no number');
  return Number(text);
}

function roundedUp(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

/** What ends an archive. */
export const TAR_END: Uint8Array = new Uint8Array(2 * TAR_BLOCK);
