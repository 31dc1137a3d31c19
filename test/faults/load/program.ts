import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What a program reports as held, after a garbage collection. */
export interface Figures {
  /** Bytes. */
  readonly rss: number;
  /** Bytes of objects and buffers that are in use. */
  readonly heap: number;
  /** What keeps Node's event loop going, by kind: `Timeout`, `TCPSocketWrap` and the like. */
  readonly resources: readonly string[];
}

/** The path of a file beside this one. */
export function besides(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/**
 * A target under load, in a process of its own: it is measured from outside, and asked over IPC.
 */
export class Target {
  readonly port: number;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts `target.mjs` with these options of `serve` and its listener. */
  static async start(options: Readonly<Record<string, number | string>> = {}): Promise<Target> {
    const child = fork(besides('target.mjs'), [JSON.stringify(options)], {
      execArgv: ['--import', besides('figures.mjs')],
    });
    const { port } = await told(child, 'listening');
    return new Target(child, Number(port));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async figures(): Promise<Figures> {
    return (await this.ask('figures')) as unknown as Figures;
  }

  /** Asks over IPC, and gives the answer of that kind. */
  async ask(kind: string): Promise<Readonly<Record<string, unknown>>> {
    const answer = told(this.#child, kind);
    this.#child.send(kind);
    return answer;
  }

  /** The most memory that it has had at once, in bytes. */
  peakRss(): number {
    const [, kilobytes] =
      /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1024;
  }

  /** Milliseconds of processor time that it has had; a tick of the kernel is 10. */
  processorTime(): number {
    const [, figures = ''] = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ');
    const [user, system] = figures.split(' ').slice(11);
    return (Number(user) + Number(system)) * 10;
  }

  /** How many files, sockets and pipes it has open. */
  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  children(): number {
    return readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean).length;
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const over = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await over;
  }
}

/** The next message of a kind that a program sends. */
export function told(
  child: ChildProcess,
  kind: string,
): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    const listen = (message: unknown): void => {
      if (
        typeof message !== 'object' ||
        message === null ||
        !('kind' in message) ||
        message.kind !== kind
      )
        return;
      stop();
      resolve(message);
    };
    const end = (code: number | null, signal: string | null): void => {
      stop();
      reject(new Error(`The program ended with ${code ?? signal} before it said "${kind}".`));
    };
    const stop = (): void => {
      child.off('message', listen).off('exit', end);
    };
    child.on('message', listen).on('exit', end);
  });
}
