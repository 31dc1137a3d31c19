import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { fromEvent, map, merge, take, type Observable } from 'rxjs';
import { throughCommand } from '../../drivers/command.js';
import type { Driver } from '../../drivers/driver.js';
import { driverFor, type TargetChoice } from './target.js';

/** A stream that a person may be watching. */
export type TerminalOutput = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** What a program of the command line has around it. Tests bring their own. */
export interface ProcessEnvironment {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: TerminalOutput;
  readonly stderr: TerminalOutput;
  /** Emits the exit code of the signal that asks the program to end. */
  readonly interrupted: Observable<number>;
  /** How a target is reached. */
  readonly driver: (target: TargetChoice) => Driver;
  /** The folder of Amanda's configuration and the file with the ports of services; without them none is read. */
  readonly installation?: { readonly directory: string; readonly services: string };
  /** A target with our own services, which needs no setting up. */
  readonly ownTarget: () => Driver;
}

/** The exit code of a program that a signal has ended: 128 and the signal's number. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Emits the exit code of the first signal that asks this process to end. Whoever asks again means it, and gets the system's way. */
export const signals: Observable<number> = merge(
  ...Object.entries(exitCodes).map(([signal, code]) =>
    fromEvent(process, signal).pipe(map(() => code)),
  ),
).pipe(take(1));

/** This process's own. The streams are opened when they are first asked for. */
export const processEnvironment: ProcessEnvironment = {
  get stdin() {
    return process.stdin;
  },
  get stdout() {
    return unbreakable(process.stdout);
  },
  get stderr() {
    return unbreakable(process.stderr);
  },
  interrupted: signals,
  driver: driverFor,
  installation: { directory: '/etc/amanda', services: '/etc/services' },
  ownTarget: () => ({
    name: 'local',
    user: undefined,
    open: (options) =>
      throughCommand(
        { program: process.execPath, args: [amandadProgram, '-auth=local', '-own', ...asWhoWeAre] },
        { driver: 'local', host: 'localhost' },
        options,
      ),
  }),
};

/** It dumps what this user can read, even when that is root. */
const asWhoWeAre = process.getuid?.() === 0 ? ['-user=root'] : [];

/** Beside this file in dist/. */
const amandadProgram = fileURLToPath(new URL('../rx-amandad/rx-amandad.js', import.meta.url));

/** When nobody reads what is said any more (`| head`), the work goes on all the same. */
function unbreakable<T extends Writable>(output: T): T {
  if (output.listenerCount('error') === 0) output.on('error', () => undefined);
  return output;
}
