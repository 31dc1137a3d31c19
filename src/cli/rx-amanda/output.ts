import { AmandaError } from '../../wire/errors.js';
import { messageOf, printable } from '../../wire/text.js';
import { adviceFor } from '../terminal/advice.js';
import { InterruptedError, UsageError } from '../terminal/arguments.js';
import type { ProcessEnvironment } from './environment.js';

/** How a command was asked to speak. */
export interface OutputMode {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
}

/** What a command says: results on standard output, everything else on standard error. No colours. */
export class Output {
  readonly mode: OutputMode;
  readonly #environment: ProcessEnvironment;

  constructor(
    environment: ProcessEnvironment,
    mode: Partial<{ [Name in keyof OutputMode]: boolean | undefined }>,
  ) {
    this.#environment = environment;
    this.mode = {
      json: mode.json === true,
      quiet: mode.quiet === true,
      debug: mode.debug === true,
    };
  }

  /** The result, as the lines for a person or as the document for a program. */
  result(document: object, lines: readonly string[]): void {
    this.#environment.stdout.write(
      this.mode.json
        ? `${JSON.stringify(document)}\n`
        : lines.map((line) => `${safeLine(line)}\n`).join(''),
    );
  }

  /** Something worth knowing that is no result. */
  note(text: string): void {
    if (!this.mode.quiet) this.warn(`rx-amanda: ${text}`);
  }

  /** A line on standard error, whatever the mode. */
  warn(line: string): void {
    this.#environment.stderr.write(`${safeLine(line)}\n`);
  }

  /** What a command failed with: one sentence, and with `debug` where it came from. */
  failure(error: unknown): void {
    const message = sentenceOf(error);
    if (this.mode.json) this.result({ error: describeError(error, message) }, []);
    else this.warn(`rx-amanda: ${message}`);
    if (this.mode.debug) for (const line of stacksOf(error)) this.warn(line);
  }
}

/** The sentence, and where that is the target's, what to do about it. */
function sentenceOf(error: unknown): string {
  const message = messageOf(error);
  const advice = adviceFor(error);
  return advice === undefined ? message : `${message.replace(/\.$/, '')}. ${advice}`;
}

/** A line that may have come from the peer, made safe for a terminal; tabs stay. */
function safeLine(line: string): string {
  return line
    .split('\t')
    .map((part) => printable(part, Infinity))
    .join('\t');
}

function describeError(error: unknown, message: string): object {
  if (error instanceof AmandaError)
    return { code: error.code, message, peer: error.peer, handle: error.handle };
  return { code: codeOfOwn(error), message };
}

/** The codes of what is no error of the library. */
function codeOfOwn(error: unknown): string {
  if (error instanceof UsageError) return 'USAGE';
  return error instanceof InterruptedError ? 'INTERRUPTED' : 'UNEXPECTED';
}

function stacksOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const own = (error.stack ?? error.message).split('\n');
  return error.cause instanceof Error ? [...own, 'caused by:', ...stacksOf(error.cause)] : own;
}
