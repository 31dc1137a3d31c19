import { spawn, type ChildProcessByStdio, type StdioOptions } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { AmandaError } from '../../wire/errors.js';
import { messageOf, printable } from '../../wire/text.js';

/** The most characters of a program's messages that are kept. */
const MOST_MESSAGES = 2_000;

export interface ChildStageOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** Default that of this process. */
  readonly cwd?: string;
  /** Whether its output is read here. Default false: it is dropped. */
  readonly hasOutput?: boolean;
  /** What it does, for messages: `unpack the archive`. */
  readonly task: string;
}

/** A child process that takes bytes. All failures are `FILE_FAILED`. */
export class ChildStage {
  /** Its output; ends at once without `hasOutput`. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Resolves when it has ended well, and rejects otherwise. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcessByStdio<Writable, Readable | null, Readable>;
  readonly #what: string;
  #messages = '';

  constructor({ program, args, cwd, hasOutput = false, task }: ChildStageOptions) {
    this.#what = `${printable(program)} cannot ${task}`;
    const stdio = ['pipe', hasOutput ? 'pipe' : 'ignore', 'pipe'] satisfies StdioOptions;
    const child = spawn(program, args, {
      stdio,
      env: environment(),
      ...(cwd === undefined ? {} : { cwd }),
    }) as ChildProcessByStdio<Writable, Readable | null, Readable>;
    this.#child = child;
    this.output = child.stdout ?? nothing();
    child.stderr.on('data', (chunk: Buffer) => {
      this.#messages = (this.#messages + chunk.toString()).slice(-MOST_MESSAGES);
    });
    // The exit code says why it does not read on.
    child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve, reject) => {
      child.once('error', (error) => {
        reject(this.#failure(messageOf(error)));
      });
      child.once('close', (code, signal) => {
        if (code === 0) resolve();
        else reject(this.#failure(signal === null ? `exit code ${code ?? 0}` : nameOf(signal)));
      });
    });
    this.ended.catch(() => undefined);
  }

  /** Resolves when the child's pipe has taken the bytes, and rejects when the child has failed. */
  async write(bytes: Uint8Array): Promise<void> {
    const taken = new Promise<boolean>((resolve) => {
      this.#child.stdin.write(bytes, (error) => {
        resolve(error === null || error === undefined);
      });
    });
    if (await Promise.race([taken, this.ended.then(() => false)])) return;
    await this.ended;
    throw this.#failure('it ended before its input did');
  }

  /** Says that no more comes. */
  end(): void {
    this.#child.stdin.end();
  }

  /** Ends it, and resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended.catch(() => undefined);
  }

  #failure(why: string): AmandaError {
    const said = this.#messages.trim().split('\n').slice(-5).join('; ');
    return new AmandaError('FILE_FAILED', `${this.#what}: ${printable(said === '' ? why : said)}.`);
  }
}

function nameOf(signal: NodeJS.Signals): string {
  return `signal ${constants.signals[signal]}`;
}

/** Its messages do not depend on the host's language, nor its work on options in variables. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, TZ } = process.env;
  return { PATH, ...(TZ === undefined ? {} : { TZ }), LC_ALL: 'C' };
}

async function* nothing(): AsyncGenerator<never, void, undefined> {
  // Nothing is read.
}
