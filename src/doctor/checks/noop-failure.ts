import { isAmandaError } from '../../wire/errors.js';
import { messageOf } from '../../wire/text.js';
import type { NoopAnswer } from '../target-facts.js';

/** Why noop failed; undefined when it was answered. */
export function failureOf(answer: NoopAnswer): string | undefined {
  return answer.kind === 'failed' ? messageOf(answer.error) : undefined;
}

/** Whether no packet came. */
export function isMute({ error }: Extract<NoopAnswer, { kind: 'failed' }>): boolean {
  return (
    isAmandaError(error) &&
    [
      'TEXT_IN_CHANNEL',
      'FRAME_TOO_LARGE',
      'CONNECTION_LOST',
      'COMMAND_FAILED',
      'ACK_TIMEOUT',
      'BAD_PACKET',
    ].includes(error.code)
  );
}
