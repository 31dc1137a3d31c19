import { fstatSync, type Stats } from 'node:fs';
import { messageOf, printable } from '../../wire/text.js';
import type { AmandadArguments } from './amandad-arguments.js';
import type { AmandadEnvironment } from './amandad-environment.js';
import { LogFile } from './log-file.js';

/** Writes one line to the log of an amandad. */
export type Log = (line: string) => void;

/** The most characters of a line. */
const MAX_LINE = 4_000;

/**
 * The log of an amandad: a file that only its owner can read, else standard error, else nothing.
 * Each line begins with the time and the process.
 *
 * It uses standard error only when that is not the connection, and when the program listens or is
 * being debugged.
 */
export class AmandadLog {
  readonly #file: string | undefined;
  readonly #printError: Log | undefined;
  #opened: LogFile | undefined;

  constructor(
    {
      log,
      tcpPort,
      udpPort,
      debug,
    }: Pick<AmandadArguments, 'log' | 'tcpPort' | 'udpPort' | 'debug'>,
    {
      printError,
      isStderrFree,
      activation,
    }: Pick<AmandadEnvironment, 'printError' | 'isStderrFree' | 'activation'>,
  ) {
    this.#file = log;
    // Standard error belongs to an initiator that started this program, so stay silent unless
    // asked.
    const isOwn =
      tcpPort !== undefined || udpPort !== undefined || debug || activation.kind === 'socket';
    this.#printError = isOwn && isStderrFree() ? printError : undefined;
  }

  /** Opens the file, if one is configured. Errors with `FILE_FAILED`. */
  open(): void {
    if (this.#file !== undefined) this.#opened = new LogFile(this.#file);
  }

  readonly write: Log = (line) => {
    if (this.#opened === undefined && this.#printError === undefined) return;
    const stamped = `${new Date().toISOString()} ${process.pid} ${printable(line, MAX_LINE)}`;
    if (this.#opened === undefined) this.#printError?.(stamped);
    else this.#opened.write(stamped);
  };

  /**
   * Opens the file again, because it may have been renamed. If that fails, logs the reason in the
   * old file.
   */
  reopen(): void {
    const before = this.#opened;
    if (before === undefined) return;
    try {
      this.open();
      void before.close();
    } catch (error) {
      this.write(messageOf(error));
    }
  }

  /** Resolves when all lines are written, or after a second. */
  async close(): Promise<void> {
    const before = this.#opened;
    this.#opened = undefined;
    await before?.close();
  }
}

/**
 * Whether standard error is not the connection. inetd uses one socket for all three descriptors. A
 * log line there would be read as a frame.
 */
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

/** Identifies the file of a descriptor. */
export type Descriptor = Pick<Stats, 'dev' | 'ino' | 'isSocket'>;

function describeDescriptor(descriptor: number): Descriptor | undefined {
  try {
    return fstatSync(descriptor);
  } catch {
    return undefined;
  }
}
