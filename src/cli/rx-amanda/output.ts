import { AmandaError } from '../../wire/errors.js';
import { messageOf, printable, printableJson } from '../../wire/text.js';
import { InterruptedError, UsageError } from '../terminal/arguments.js';
import type { ProcessEnvironment } from './environment.js';

/** How a command prints. */
export interface OutputMode {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
}

/** Prints results on standard output, and all else on standard error, without colours. */
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

  /** Prints the result: lines for a person, or one JSON document. */
  result(document: object, lines: readonly string[]): void {
    this.#environment.stdout.write(
      this.mode.json
        ? `${printableJson(document)}\n`
        : lines.map((line) => `${safeLine(line)}\n`).join(''),
    );
  }

  /**
   * Prints a text whose untrusted parts are escaped already, so that its newlines and colours stay:
   * a drawing, or a help text.
   */
  escaped(text: string): void {
    this.#environment.stdout.write(text);
  }

  /** Prints a remark, unless `--quiet` is given. */
  note(text: string): void {
    if (!this.mode.quiet) this.warn(`rx-amanda: ${text}`);
  }

  /** Prints a line on standard error in every mode. */
  warn(line: string): void {
    this.#environment.stderr.write(`${safeLine(line)}\n`);
  }

  /** Prints an error: one sentence, and the stacks with `--debug`. `host` is one of several. */
  failure(error: unknown, host?: string): void {
    const message = sentenceOf(error);
    if (this.mode.json) this.result({ host, error: describeError(error, message) }, []);
    else this.warn(`rx-amanda: ${host === undefined ? '' : `${host}: `}${message}`);
    if (this.mode.debug) this.stacks(error);
  }

  /** Prints where an error came from. */
  stacks(error: unknown): void {
    for (const line of stacksOf(error)) this.warn(line);
  }
}

/** The message of an error, with advice when the target's own words need it. */
export function sentenceOf(error: unknown): string {
  const message = messageOf(error);
  const advice = error instanceof AmandaError ? error.advice : undefined;
  return advice === undefined ? message : `${message.replace(/\.$/, '')}. ${advice}`;
}

/** Makes a line safe for a terminal, because a peer may have sent it. Tabs stay. */
function safeLine(line: string): string {
  return line
    .split('\t')
    .map((part) => printable(part, Infinity))
    .join('\t');
}

/** An error for a program. */
export function describeError(error: unknown, message = sentenceOf(error)): object {
  if (error instanceof AmandaError)
    return { code: error.code, message, peer: error.peer, handle: error.handle };
  return { code: codeOfOwn(error), message };
}

/** The codes of errors that the library does not know. */
function codeOfOwn(error: unknown): string {
  if (error instanceof UsageError) return 'USAGE';
  return error instanceof InterruptedError ? 'INTERRUPTED' : 'UNEXPECTED';
}

function stacksOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const own = (error.stack ?? error.message).split('\n');
  return error.cause instanceof Error ? [...own, 'caused by:', ...stacksOf(error.cause)] : own;
}
