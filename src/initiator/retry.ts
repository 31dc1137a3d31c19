import { AmandaError, isAmandaError } from '../wire/errors.js';
import { quotedWords, unquote } from '../wire/quote.js';
import { printable } from '../wire/text.js';

/** A target's advice to request a dump again. Source: PROTOCOL.md, "Services". */
export interface RetryAdvice {
  /** Seconds to wait; undefined when the target does not say. */
  readonly delay: number | undefined;
  /** The level to request; undefined for the same one. */
  readonly level: number | undefined;
  /** Why, in the words of the target; undefined when it does not say. */
  readonly message: string | undefined;
}

/**
 * Reads the text after `RETRY` in a reply, or after `retry` in a message. Ignores unknown words.
 */
export function parseRetry(text: string): RetryAdvice {
  const words = quotedWords(text);
  const after = (name: string): string | undefined => {
    const at = words.findIndex((word, index) => index % 2 === 0 && word === name);
    return at < 0 ? undefined : words[at + 1];
  };
  const message = after('message');
  return {
    delay: wholeNumber(after('delay')),
    level: wholeNumber(after('level')),
    message: message === undefined ? undefined : unquote(message),
  };
}

/** The error of a dump that the target wants to make later. */
export function retryLater(advice: RetryAdvice, peer: string): AmandaError {
  const when = advice.delay === undefined ? 'again later' : `again in ${advice.delay} s`;
  const which = advice.level === undefined ? '' : ` for level ${advice.level}`;
  const why = advice.message === undefined ? '' : `: ${printable(advice.message)}`;
  return new AmandaError(
    'RETRY_LATER',
    `${peer} cannot dump now and wants to be asked ${when}${which}${why}.`,
    {
      peer,
      cause: { retry: advice } satisfies Advised,
    },
  );
}

/** The target's advice in an error with the code `RETRY_LATER`; undefined for other errors. */
export function retryAdvice(error: unknown): RetryAdvice | undefined {
  return isAmandaError(error, 'RETRY_LATER') && isAdvised(error.cause)
    ? error.cause.retry
    : undefined;
}

interface Advised {
  readonly retry: RetryAdvice;
}

function isAdvised(cause: unknown): cause is Advised {
  return typeof cause === 'object' && cause !== null && 'retry' in cause;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
