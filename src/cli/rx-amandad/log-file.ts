import { appendFile, closeSync, constants, openSync } from 'node:fs';
import { AmandaError } from '../../wire/errors.js';
import { messageOf } from '../../wire/text.js';

/** Characters that may wait for the disk. */
const MAX_WAITING = 1_048_576;

/** Milliseconds that a disk has for the last lines. */
const LAST_WRITE = 1_000;

/** Without O_NONBLOCK, opening a FIFO waits for a reader. Without one it is an error now. */
const FLAGS =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_NONBLOCK |
  constants.O_NOCTTY;

/**
 * A file that lines are appended to. Nothing waits for the disk: lines that it is too slow for are
 * dropped, and one line counts them.
 */
export class LogFile {
  readonly #descriptor: number;
  #waiting = '';
  #dropped = 0;
  #isWriting = false;
  #whenWritten: (() => void) | undefined;

  /** Errors with `FILE_FAILED`. */
  constructor(path: string) {
    try {
      this.#descriptor = openSync(path, FLAGS, 0o600);
    } catch (cause) {
      throw new AmandaError('FILE_FAILED', `Cannot write the log ${path}: ${messageOf(cause)}.`, {
        cause,
      });
    }
  }

  write(line: string): void {
    if (this.#waiting.length + line.length > MAX_WAITING) this.#dropped += 1;
    else this.#waiting += `${line}\n`;
    if (!this.#isWriting) this.#writeNext();
  }

  /** Resolves when all lines are written, or after a second. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, LAST_WRITE);
      this.#whenWritten = () => {
        clearTimeout(limit);
        closeSync(this.#descriptor);
        resolve();
      };
      if (!this.#isWriting) this.#writeNext();
    });
  }

  #writeNext(): void {
    const text = this.#waiting;
    if (text === '') {
      this.#whenWritten?.();
      return;
    }
    this.#waiting =
      this.#dropped === 0 ? '' : `log lines that the disk was too slow for: ${this.#dropped}\n`;
    this.#dropped = 0;
    this.#isWriting = true;
    // A full disk must not end a backup, so an error is ignored.
    appendFile(this.#descriptor, text, (error) => {
      this.#isWriting = false;
      if (error?.code !== 'EAGAIN') {
        this.#writeNext();
        return;
      }
      // A FIFO whose reader is slow has taken a part at most. The next line tries again.
      this.#dropped += text.split('\n').length - 1;
      this.#whenWritten?.();
    });
  }
}
