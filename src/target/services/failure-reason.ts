import type { IncomingRequest } from '../../exchange/service.js';
import { AmandaError, isAmandaError } from '../../wire/errors.js';
import { messageOf, printable } from '../../wire/text.js';

/**
 * What the peer hears of an error: the message of an AmandaError, because a program words its
 * answers so. Any other error may name what is private. It is reported to the events in full.
 */
export function reason(error: unknown, { reportFailure }: IncomingRequest): string {
  reportFailure?.(error);
  return isAmandaError(error) ? printable(error.message, 1_000) : 'the service failed';
}

/** The error of a program's own function, with a code. */
export function asAmandaError(error: unknown): AmandaError {
  return isAmandaError(error)
    ? error
    : new AmandaError('SERVICE_FAILED', messageOf(error), { cause: error });
}
