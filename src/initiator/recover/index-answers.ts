import { AmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';

/** A line of an answer. Its code is as in FTP: 2xx is success, 5xx a refusal. */
export interface AnswerLine {
  readonly code: number;
  readonly text: string;
  readonly isLast: boolean;
}

/** Reads `NNN text`, the last line of an answer, or `NNN-text`. Throws `BAD_REPLY`. */
export function parseAnswer(line: string, service: string): AnswerLine {
  const [, code = '', mark = '', text = ''] = /^(\d{3})([ -])([^]*)$/.exec(line) ?? [];
  if (code === '')
    throw new AmandaError('BAD_REPLY', `${service} answered "${printable(line)}", without a code.`);
  return { code: Number(code), text, isLast: mark === ' ' };
}

/** The error for a refused command; without one, for the greeting. */
export function refusedCommand(
  service: string,
  command: string | undefined,
  texts: readonly string[],
): AmandaError {
  const what = command === undefined ? 'the conversation' : `"${printable(command)}"`;
  return new AmandaError(
    'SERVICE_FAILED',
    `${service} refused ${what}: ${texts.map((text) => printable(text)).join('; ')}`,
  );
}

/** `20261201055000` as the server reads dates: `2026-12-01-05-50-00`. */
export function nicely(date: string): string {
  if (!/^\d{8}(?:\d{6})?$/.test(date))
    throw new AmandaError(
      'BAD_ARGUMENT',
      `A date must be YYYYMMDD or YYYYMMDDhhmmss, not "${printable(date)}".`,
    );
  return [date.slice(0, 4), ...(date.slice(4).match(/../g) ?? [])].join('-');
}

export function endedEarly(service: string): AmandaError {
  return new AmandaError('INCOMPLETE_DUMP', `${service} ended the conversation early.`);
}

export function silentFor(service: string, milliseconds: number): AmandaError {
  return new AmandaError(
    'DATA_TIMEOUT',
    `${service} has sent nothing for ${milliseconds / 1_000} s; is it still at work?`,
  );
}
