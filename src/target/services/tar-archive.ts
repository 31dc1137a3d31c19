import { checkOptions } from '../../wire/arguments.js';
import { AmandaError } from '../../wire/errors.js';
import { printable, encodeText } from '../../wire/text.js';
import type { BackupImage } from './backup-image.js';

/** A member of an archive, made by a program. */
export type ArchiveMember = ArchiveFile | ArchiveFolder;

/** A file of an archive. */
export type ArchiveFile = ArchiveFileHead & (WholeContent | StreamedContent | PartedContent);

/** What a file of an archive has besides its content. */
export interface ArchiveFileHead {
  /** Its path in the archive, such as `orders.csv` or `2026/orders.csv`. */
  readonly name: string;
  /** Default: now. */
  readonly modified?: Date;
  /** Its permissions, 0 … 0o7777. Default 0o600. */
  readonly mode?: number;
}

/** Content that is in memory. */
export interface WholeContent {
  /** A text (UTF-8), or bytes. */
  readonly content: string | Uint8Array;
}

/** Content that is made while it is sent. */
export interface StreamedContent {
  readonly content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** The exact number of bytes of the content; the archive has it before the content. */
  readonly size: number;
}

/** A file of unknown size, in parts. */
export interface PartedContent {
  readonly content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /**
   * The most bytes of a part, from 1; one part is held in memory. The parts are files of their own:
   * `NAME.000001`, `NAME.000002` and so on. `cat NAME.*` fits them together.
   */
  readonly partSize: number;
}

/**
 * All names of a folder. A restore with `tar -G` or amrecover removes what else is in the folder,
 * so that an incremental dump can say what has gone.
 */
export interface ArchiveFolder {
  /** Its path in the archive; empty for the top. */
  readonly folder: string;
  /** Names without a path. */
  readonly names: readonly string[];
}

/** Options of {@link tarArchive}. */
export interface TarArchiveOptions {
  /** Each file is requested when the previous one has been sent, so a generator may make them. */
  readonly files: Iterable<ArchiveMember> | AsyncIterable<ArchiveMember>;
}

/**
 * A tar archive of files that a program makes. amrecover can restore its files one by one.
 *
 * It leaves out what the entry excludes, or does not include. The archive has the POSIX format. Its
 * data error with `BAD_ARGUMENT` for a name that is empty, absolute or leads out of the archive.
 * They error likewise if streamed content has another size than was given.
 *
 * @example
 * ```ts
 * import { tarArchive } from 'rx-amanda';
 *
 * const image = tarArchive({ files: [{ name: 'hello.txt', content: 'hello\n' }] });
 * ```
 */
export function tarArchive(options: TarArchiveOptions): BackupImage {
  checkOptions('tarArchive', options, { files: 'object' });
  return { data: (list, selects) => archive(options.files, list, selects) };
}

const BLOCK = 512;
/** The end mark: two blocks of zeros. */
const END = new Uint8Array(2 * BLOCK);
/** The largest number with eleven octal digits. */
const MOST_NUMBER = 0o77777777777;
const MOST_NAME_BYTES = 100;

async function* archive(
  members: TarArchiveOptions['files'],
  list: (path: string) => void,
  selects: (path: string) => boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  // `add .` of amrecover needs it.
  list('/');
  for await (const member of members) {
    if ('folder' in member) {
      if (member.folder !== '') list(`/${member.folder}/`);
      yield* folder(member);
      continue;
    }
    checkName(member.name);
    if (!selects(`/${member.name}`)) continue;
    for await (const file of filesOf(member)) {
      yield* oneFile(file);
      list(`/${file.name}`);
    }
  }
  yield END;
}

async function* oneFile(file: ArchiveFileHead & StreamedContent): AsyncGenerator<Uint8Array> {
  const { name, size, content } = file;
  yield* heads(file, size);
  let sent = 0;
  for await (const bytes of content) {
    sent += bytes.length;
    if (sent > size) break;
    yield bytes;
  }
  if (sent !== size)
    throw bad(
      `${printable(name)} has ${sent > size ? 'more' : `${sent} instead`} of the ${size} bytes announced for it`,
    );
  yield padding(size);
}

/** A file of known size, or one for each part. */
async function* filesOf(file: ArchiveFile): AsyncGenerator<ArchiveFileHead & StreamedContent> {
  if ('size' in file) yield file;
  else if ('partSize' in file) yield* partsOf(file);
  else {
    const bytes = encodeText(file.content);
    yield { ...file, size: bytes.length, content: [bytes] };
  }
}

async function* partsOf(
  file: ArchiveFileHead & PartedContent,
): AsyncGenerator<ArchiveFileHead & StreamedContent> {
  const { name, content, partSize } = file;
  if (!(partSize >= 1))
    throw bad(`${printable(name)} has parts of ${partSize} bytes, which must be 1 at least`);
  const { modified = new Date() } = file;
  let number = 0;
  const part = (chunks: readonly Uint8Array[], size: number) => {
    number += 1;
    return {
      ...file,
      name: `${name}.${String(number).padStart(6, '0')}`,
      modified,
      content: chunks,
      size,
    };
  };
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const bytes of content) {
    for (let rest = bytes; rest.length > 0;) {
      const piece = rest.subarray(0, partSize - size);
      held.push(piece);
      size += piece.length;
      rest = rest.subarray(piece.length);
      if (size < partSize) continue;
      yield part(held, size);
      held = [];
      size = 0;
    }
  }
  if (size > 0 || number === 0) yield part(held, size);
}

/** A folder whose record `GNU.dumpdir` has a list of names, each after an `N`. */
function* folder({ folder: path, names }: ArchiveFolder): Generator<Uint8Array> {
  if (path !== '') checkName(path);
  for (const name of names) {
    checkName(name);
    if (name.includes('/')) throw bad(`the name "${printable(name)}" in a folder has a path`);
  }
  const list = `${[...names]
    .sort()
    .map((name) => `N${name}\0`)
    .join('')}\0`;
  const head = { name: path === '' ? '' : `${path}/`, mode: 0o700 };
  yield* heads(head, 0, { kind: '5', records: [record('GNU.dumpdir', list)] });
}

/** The headers of a file; one of kind `x` has what the file's own header has no room for. */
function* heads(
  { name, modified = new Date(), mode = 0o600 }: ArchiveFileHead,
  size: number,
  { kind = '0', records: more = [] }: { kind?: '0' | '5'; records?: readonly string[] } = {},
): Generator<Uint8Array> {
  // amrecover asks tar for names that begin with `./`.
  const path = `./${name}`;
  const seconds = Math.min(Math.max(Math.floor(modified.getTime() / 1000), 0), MOST_NUMBER);
  const records = [
    ...more,
    ...(encodeText(path).length > MOST_NAME_BYTES ? [record('path', path)] : []),
    ...(size > MOST_NUMBER ? [record('size', String(size))] : []),
  ];
  if (records.length > 0) {
    const extended = encodeText(records.join(''));
    yield header({ path: './PaxHeaders', mode: 0o600, size: extended.length, seconds, kind: 'x' });
    yield extended;
    yield padding(extended.length);
  }
  yield header({
    path,
    mode: mode & 0o7777,
    size: size > MOST_NUMBER ? 0 : size,
    seconds,
    kind,
  });
}

/** `LENGTH NAME=VALUE` and a newline; the length includes its own digits. */
function record(name: string, value: string): string {
  const rest = encodeText(` ${name}=${value}\n`).length;
  const digits = String(rest + String(rest).length).length;
  return `${rest + digits} ${name}=${value}\n`;
}

interface Header {
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  readonly seconds: number;
  /** `0`: a file; `5`: a folder; `x`: it extends the next header. */
  readonly kind: '0' | '5' | 'x';
}

function header({ path, mode, size, seconds, kind }: Header): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  block.set(encodeText(path).subarray(0, MOST_NAME_BYTES));
  block.write(
    `${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(size, 11)}\0${octal(seconds, 11)}\0${' '.repeat(8)}${kind}`,
    100,
  );
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(number: number, digits: number): string {
  return number.toString(8).padStart(digits, '0');
}

function padding(size: number): Uint8Array {
  return END.subarray(0, (BLOCK - (size % BLOCK)) % BLOCK);
}

function checkName(name: string): void {
  if (
    name === '' ||
    name.includes('\0') ||
    name.split('/').some((part) => part === '' || part === '.' || part === '..')
  ) {
    throw bad(`"${printable(name)}" cannot be the name of a file in it`);
  }
}

function bad(why: string): AmandaError {
  return new AmandaError('BAD_ARGUMENT', `The archive cannot be made: ${why}.`);
}
