import { parseChecksum, type Checksum } from '../wire/crc32c.js';
import { parseRetry, type RetryAdvice } from './retry.js';

/** A line of a sendbackup's MESG stream. Source: PROTOCOL.md, "Services". */
export type BackupMessage =
  /** What is dumped, in the target's words. */
  | { readonly kind: 'start'; readonly text: string }
  /** How to restore, such as BACKUP, RECOVER_CMD or COMPRESS_SUFFIX. */
  | { readonly kind: 'info'; readonly name: string; readonly value: string }
  /** The info is complete, and DATA may flow. */
  | { readonly kind: 'infoEnd' }
  /** Normal output of the dump program. */
  | { readonly kind: 'normal'; readonly text: string }
  /** Unusual output; the dump is usable. Also every unknown line, unchanged. */
  | { readonly kind: 'strange'; readonly text: string }
  /** The size before compression, in units of 1,024 bytes; undefined when unknown. */
  | { readonly kind: 'size'; readonly kilobytes: number | undefined }
  /** The checksum before (`native`) or after (`client`) the client's compression and encryption. */
  | { readonly kind: 'checksum'; readonly of: 'native' | 'client'; readonly checksum: Checksum }
  /** A line of the state, when there is no STATE stream. */
  | { readonly kind: 'state'; readonly text: string }
  /** The dump should be tried again. */
  | { readonly kind: 'retry'; readonly advice: RetryAdvice }
  /** The dump has failed, whatever follows. */
  | { readonly kind: 'error'; readonly text: string }
  /** Has no meaning. */
  | { readonly kind: 'noop' }
  /** sendbackup has finished; without an error, the dump is complete. */
  | { readonly kind: 'end' };

/** Reads one line, without its newline. An unknown line is strange; no line is an error. */
export function parseBackupMessage(line: string): BackupMessage {
  const text = line.replace(/\r$/, '');
  if (text.startsWith('|')) return { kind: 'normal', text: text.slice(1).trimStart() };
  if (text.startsWith('?')) return { kind: 'strange', text: text.slice(1).trimStart() };
  const control = text.startsWith(PREFIX) ? parseControl(text.slice(PREFIX.length)) : undefined;
  return control ?? { kind: 'strange', text };
}

const PREFIX = 'sendbackup: ';

function parseControl(control: string): BackupMessage | undefined {
  if (control === 'end') return { kind: 'end' };
  if (control === 'info end') return { kind: 'infoEnd' };
  if (control === 'no-op') return { kind: 'noop' };
  const blank = control.indexOf(' ');
  const [word, rest] =
    blank < 0 ? [control, ''] : [control.slice(0, blank), control.slice(blank + 1)];
  switch (word) {
    case 'start':
      return { kind: 'start', text: withoutBrackets(rest) };
    case 'info':
      return parseInfo(rest);
    case 'size':
      return parseSize(rest);
    case 'native-CRC':
      return parseCrc('native', rest);
    case 'client-CRC':
      return parseCrc('client', rest);
    case 'state':
      return { kind: 'state', text: rest };
    case 'warning':
      return { kind: 'strange', text: withoutBrackets(rest) };
    case 'error':
      return { kind: 'error', text: withoutBrackets(rest) };
    case 'retry':
      return { kind: 'retry', advice: parseRetry(rest) };
    default:
      return undefined;
  }
}

function parseInfo(rest: string): BackupMessage | undefined {
  const sign = rest.indexOf('=');
  return sign < 1
    ? undefined
    : { kind: 'info', name: rest.slice(0, sign), value: rest.slice(sign + 1) };
}

function parseSize(rest: string): BackupMessage | undefined {
  if (!/^-?\d{1,15}$/.test(rest)) return undefined;
  return { kind: 'size', kilobytes: Number(rest) < 0 ? undefined : Number(rest) };
}

function parseCrc(of: 'native' | 'client', rest: string): BackupMessage | undefined {
  const checksum = parseChecksum(rest);
  return checksum === undefined ? undefined : { kind: 'checksum', of, checksum };
}

function withoutBrackets(text: string): string {
  return text.replace(/^\[/, '').replace(/\]$/, '');
}
