import { isAmandaError, type AmandaErrorCode } from '../../wire/errors.js';
import { UsageError } from './arguments.js';

/** The exit codes of `rx-amanda`. */
export const exitCodes = { success: 0, failed: 1, usage: 2, noConnection: 3, damaged: 4 } as const;

const CANCELLED = 'interrupted; everything is cancelled';

/** The exit codes of a command, for its help. `failed` is the meaning of 1. */
export function exitCodesOf(failed: string, interrupted = CANCELLED): string {
  return `Exit code:
  0    success
  1    ${failed}
  2    wrong usage
  3    no connection, no answer in time, or the connection was lost
  130  ${interrupted}`;
}

/** Those of a command that asks for a service. */
export const exitCodesHelp = exitCodesOf('the target refused, or the service answered ERROR');

/** Those of a command that takes a dump. */
export const dumpExitCodesHelp = exitCodesOf(
  'the target refused, the service answered ERROR, or the dump is incomplete',
  `${CANCELLED}, no temporary file stays`,
);

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
