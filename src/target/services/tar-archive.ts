import { checkOptions } from '../../wire/arguments.js';
import { AmandaError } from '../../wire/errors.js';
import { printable, encodeText } from '../../wire/text.js';
import type { BackupImage } from './backup-image.js';

/** A file of an archive, made by a program. */
export type ArchiveFile = ArchiveFileHead & (WholeContent | StreamedContent);

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

/** Options of {@link tarArchive}. */
export interface TarArchiveOptions {
  /** The approximate number of bytes of all files together. */
  readonly size: number;
  /** Each file is requested when the previous one has been sent, so a generator may make them. */
  readonly files: Iterable<ArchiveFile> | AsyncIterable<ArchiveFile>;
}

/**
 * A tar archive of files that a program makes. amrecover can restore its files one by one.
 *
 * The archive has the POSIX format. Its data error with `BAD_ARGUMENT` for a name that is empty,
 * absolute or leads out of the archive. They error likewise if streamed content has another size
 * than was given.
 *
 * @example
 * ```ts
 * import { tarArchive } from 'rx-amanda';
 *
 * const image = tarArchive({ size: 6, files: [{ name: 'hello.txt', content: 'hello\n' }] });
 * ```
 */
export function tarArchive(options: TarArchiveOptions): BackupImage {
  checkOptions('tarArchive', options, { size: 'number', files: 'object' });
  const { size, files } = options;
  return { size: size + END.length, data: (list) => archive(files, list) };
}

const BLOCK = 512;
/** The end mark: two blocks of zeros. */
const END = new Uint8Array(2 * BLOCK);
/** The largest number with eleven octal digits. */
const MOST_NUMBER = 0o77777777777;
const MOST_NAME_BYTES = 100;

async function* archive(
  files: TarArchiveOptions['files'],
  list: (path: string) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  // `add .` of amrecover needs it.
  list('/');
  for await (const file of files) {
    checkName(file.name);
    const { size, content } = opened(file);
    yield* heads(file, size);
    let sent = 0;
    for await (const bytes of content) {
      sent += bytes.length;
      if (sent > size) break;
      yield bytes;
    }
    if (sent !== size)
      throw bad(
        `${printable(file.name)} has ${sent > size ? 'more' : `${sent} instead`} of the ${size} bytes announced for it`,
      );
    yield padding(size);
    list(`/${file.name}`);
  }
  yield END;
}

function opened(file: WholeContent | StreamedContent): StreamedContent {
  if ('size' in file) return file;
  const bytes = encodeText(file.content);
  return { size: bytes.length, content: [bytes] };
}

/** The headers of a file; one of kind `x` has what the file's own header has no room for. */
function* heads(
  { name, modified = new Date(), mode = 0o600 }: ArchiveFileHead,
  size: number,
): Generator<Uint8Array> {
  // amrecover asks tar for names that begin with `./`.
  const path = `./${name}`;
  const seconds = Math.min(Math.max(Math.floor(modified.getTime() / 1000), 0), MOST_NUMBER);
  const records = [
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
    kind: '0',
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
  /** `0`: a file; `x`: it extends the next header. */
  readonly kind: '0' | 'x';
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
