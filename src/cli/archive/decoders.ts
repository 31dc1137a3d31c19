import { basename } from 'node:path';
import type { DumpHeader } from '../../wire/dumpfile.js';
import { AmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';

/** A program that undoes what was done to a dump: it reads one form and writes the other. */
export interface Decoder {
  readonly program: string;
  readonly args: readonly string[];
}

/** Programs that decompress with `-dc` and are run without consent, by their bare names. */
const KNOWN = ['gzip', 'pigz', 'bzip2', 'pbzip2', 'xz', 'pixz', 'zstd', 'lz4', 'lzop', 'compress'];
/** Suffixes of compressed dumps that Amanda's own compressor gives. */
const SUFFIXES: ReadonlyMap<string, string> = new Map([
  ['.gz', 'gzip'],
  ['.Z', 'gzip'],
  ['C', 'gzip'],
  ['.bz2', 'bzip2'],
  ['.xz', 'xz'],
  ['.zst', 'zstd'],
]);

/**
 * The programs that turn an image into what the dump program wrote, in order. `allowed` are the
 * programs of the header that may be run. Throws `ACCESS_DENIED` for another one.
 */
export function decodersOf(header: DumpHeader, allowed: readonly string[]): Decoder[] {
  const coding = new Map(header.coding);
  return ['server', 'client'].flatMap((side) => [
    ...decryption(coding, side, allowed),
    ...decompression(header, coding, side, allowed),
  ]);
}

type Coding = ReadonlyMap<string, string>;

function decryption(coding: Coding, side: string, allowed: readonly string[]): Decoder[] {
  const program = coding.get(`${side}_encrypt`);
  // A server that has decrypted leaves its program in the header, and takes `crypt` out.
  if (program === undefined || !coding.has('crypt')) return [];
  const option = coding.get(`${side}_decrypt_option`) ?? '-d';
  return [{ program: consented(program, 'encrypted', allowed), args: [option] }];
}

function decompression(
  { compression }: DumpHeader,
  coding: Coding,
  side: string,
  allowed: readonly string[],
): Decoder[] {
  if (compression === undefined) return [];
  const custom = coding.get(`${side}_custom_compress`);
  if (custom !== undefined) {
    if (allowed.includes(custom)) return [{ program: custom, args: ['-d'] }];
    const name = basename(custom);
    if (KNOWN.includes(name)) return [{ program: name, args: ['-dc'] }];
    return [{ program: consented(custom, 'compressed', allowed), args: ['-d'] }];
  }
  const isCustom = coding.has('server_custom_compress') || coding.has('client_custom_compress');
  if (side === 'server' || isCustom) return [];
  const known = SUFFIXES.get(compression);
  if (known !== undefined) return [{ program: known, args: ['-dc'] }];
  throw new AmandaError(
    'BAD_DUMP_HEADER',
    `The dump is compressed in the form ${printable(compression)}, which is not known here.`,
  );
}

/** The header comes from the network, so the user says which programs of it may run. */
function consented(program: string, done: string, allowed: readonly string[]): string {
  if (allowed.includes(program)) return program;
  const name = printable(program);
  throw new AmandaError(
    'ACCESS_DENIED',
    `The dump is ${done} by ${name}. If you trust this program, run it with --allow-program ${name}.`,
  );
}
