import { isAmandaError, type AmandaErrorCode } from '../../wire/errors.js';
import { UsageError } from './arguments.js';

/** The exit codes of `rx-amanda`. */
export const exitCodes = { success: 0, failed: 1, usage: 2, noConnection: 3, damaged: 4 } as const;

/** Their part of the help texts. */
export const exitCodesHelp = `Exit code:
  0    success
  1    the target refused, the service answered ERROR, or the dump is incomplete
  2    wrong usage
  3    no connection, no answer in time, or the connection was lost
  4    (draw) what was saved is damaged or cut; all before the damage was drawn
  130  interrupted; everything is cancelled, no temporary file stays`;

const noConnection: ReadonlySet<AmandaErrorCode> = new Set<AmandaErrorCode>([
  'FRAME_TOO_LARGE',
  'TRUNCATED',
  'TEXT_IN_CHANNEL',
  'BAD_PACKET',
  'SEND_BUDGET',
  'TOO_MANY_HANDLES',
  'STALLED',
  'CONNECTION_LOST',
  'CONNECTION_CLOSED',
  'CONNECT_FAILED',
  'CONNECT_TIMEOUT',
  'NO_RESERVED_PORT',
  'COMMAND_FAILED',
  'ACK_TIMEOUT',
  'REP_TIMEOUT',
  'DATA_TIMEOUT',
  'DEADLINE',
  'TLS_FAILED',
  'CERTIFICATE_MISSING',
  'CERTIFICATE_UNTRUSTED',
  'CERTIFICATE_EXPIRED',
  'CERTIFICATE_DEPTH',
  'CERTIFICATE_HOST',
  'CERTIFICATE_FINGERPRINT',
  'CERTIFICATE_REFUSED',
  'CERTIFICATE_UNUSABLE',
  'KEY_UNSAFE',
]);
const wrongUsage: ReadonlySet<AmandaErrorCode> = new Set<AmandaErrorCode>([
  'BAD_ARGUMENT',
  'BAD_DLE',
  'CONFIG_INVALID',
]);

/** The exit code for an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  if (!isAmandaError(error)) return exitCodes.failed;
  if (wrongUsage.has(error.code)) return exitCodes.usage;
  return noConnection.has(error.code) ? exitCodes.noConnection : exitCodes.failed;
}
