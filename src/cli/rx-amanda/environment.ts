import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { fromEvent, map, merge, take, type Observable } from 'rxjs';
import { throughCommand } from '../../drivers/command.js';
import type { Driver } from '../../drivers/driver.js';
import { driverFor } from './driver-for.js';
import type { TargetChoice } from './target.js';

/** An output that may be a terminal. */
export type TerminalOutput = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** What a command has around it. Tests bring their own. */
export interface ProcessEnvironment {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: TerminalOutput;
  readonly stderr: TerminalOutput;
  /** Emits the exit code of the signal that asks the program to end. */
  readonly interrupted: Observable<number>;
  /** Makes the driver of a target. */
  readonly driver: (target: TargetChoice) => Driver;
  /**
   * Amanda's configuration folder, and the file with the ports of services. Optional; none is read
   * when it is absent.
   */
  readonly installation?: { readonly directory: string; readonly services: string };
  /** Makes the driver of a local target with our own services, which needs no setup. */
  readonly ownTarget: () => Driver;
}

/** The exit codes of signals: 128 and the signal's number. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Emits the exit code of the first signal that asks this process to end. A second signal kills it.
 */
export const signals: Observable<number> = merge(
  ...Object.entries(exitCodes).map(([signal, code]) =>
    fromEvent(process, signal).pipe(map(() => code)),
  ),
).pipe(take(1));

/** The environment of this process. Its streams open on first use. */
export const processEnvironment: ProcessEnvironment = {
  get stdin() {
    return process.stdin;
  },
  get stdout() {
    return ignoringErrors(process.stdout);
  },
  get stderr() {
    return ignoringErrors(process.stderr);
  },
  interrupted: signals,
  driver: driverFor,
  installation: { directory: '/etc/amanda', services: '/etc/services' },
  ownTarget: () => ({
    name: 'local',
    user: undefined,
    open: (options) =>
      throughCommand(
        { program: process.execPath, args: [amandadProgram, '-auth=local', '-own', ...sameUser] },
        { driver: 'local', host: 'localhost' },
        options,
      ),
  }),
};

/** As root, dumps what root can read. */
const sameUser = process.getuid?.() === 0 ? ['-user=root'] : [];

/** This file lies beside ours in dist/. */
const amandadProgram = fileURLToPath(new URL('../rx-amandad/rx-amandad.js', import.meta.url));

/** The work goes on when the reader has gone, as after `| head`. */
function ignoringErrors<T extends Writable>(output: T): T {
  if (output.listenerCount('error') === 0) output.on('error', () => undefined);
  return output;
}
