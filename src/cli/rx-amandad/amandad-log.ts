import { closeSync, fstatSync, openSync, writeSync, type Stats } from 'node:fs';
import { AmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';
import type { AmandadArguments } from './amandad-arguments.js';
import type { AmandadEnvironment } from './amandad-environment.js';

/** Where an amandad tells what it does, a line at a time. */
export type Log = (line: string) => void;

/** Characters of a line that are kept. */
const MOST_CHARACTERS = 4_000;

/**
 * The log of an amandad: its file, which only its owner can read; else standard error, when it listens or is to be debugged and
 * that is not the connection; else nowhere. Each line begins with the time and the process.
 */
export class AmandadLog {
  readonly #file: string | undefined;
  readonly #complain: Log | undefined;
  #descriptor: number | undefined;

  constructor(
    {
      log,
      tcpPort,
      udpPort,
      debug,
    }: Pick<AmandadArguments, 'log' | 'tcpPort' | 'udpPort' | 'debug'>,
    {
      complain,
      isStderrFree,
      activation,
    }: Pick<AmandadEnvironment, 'complain' | 'isStderrFree' | 'activation'>,
  ) {
    this.#file = log;
    // What an initiator has started speaks on that one's standard error, and is silent unless asked.
    const isOwn =
      tcpPort !== undefined || udpPort !== undefined || debug || activation.kind === 'socket';
    this.#complain = isOwn && isStderrFree() ? complain : undefined;
  }

  /** Opens the file, if there is to be one. Errors with `FILE_FAILED`. */
  open(): void {
    if (this.#file !== undefined) this.#descriptor = openLog(this.#file);
  }

  readonly write: Log = (line) => {
    if (this.#descriptor === undefined && this.#complain === undefined) return;
    const stamped = `${new Date().toISOString()} ${process.pid} ${printable(line, MOST_CHARACTERS)}`;
    if (this.#descriptor === undefined) {
      this.#complain?.(stamped);
      return;
    }
    try {
      writeSync(this.#descriptor, `${stamped}\n`);
    } catch {
      // A full disk must not end a backup for the sake of its log.
    }
  };

  /** Opens the file anew, for it may have been renamed; when that cannot be, the log goes on where it was and says so. */
  reopen(): void {
    const before = this.#descriptor;
    if (before === undefined) return;
    try {
      this.open();
      closeSync(before);
    } catch (error) {
      this.write(error instanceof Error ? error.message : String(error));
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

function openLog(file: string): number {
  try {
    return openSync(file, 'a', 0o600);
  } catch (cause) {
    throw new AmandaError(
      'FILE_FAILED',
      `Cannot write the log ${file}: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { cause },
    );
  }
}

/** Whether standard error is not the connection: inetd puts that on it too, where a word of ours would be taken for a frame. */
export function isStderrFree(
  describe: (descriptor: number) => Descriptor | undefined = describeDescriptor,
): boolean {
  const [input, output, errors] = [0, 1, 2].map(describe);
  if (errors === undefined) return false;
  return (
    !errors.isSocket() ||
    ![input, output].some((channel) => channel?.dev === errors.dev && channel.ino === errors.ino)
  );
}

/** What is behind a descriptor. */
export type Descriptor = Pick<Stats, 'dev' | 'ino' | 'isSocket'>;

function describeDescriptor(descriptor: number): Descriptor | undefined {
  try {
    return fstatSync(descriptor);
  } catch {
    return undefined;
  }
}
