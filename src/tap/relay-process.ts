import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { Observable } from 'rxjs';
import { withPipes } from '../transport/child-pipes.js';
import { messageOf } from '../wire/text.js';
import { passOn } from './pass-on.js';
import { now, type TapClosing, type TapEvent } from './tap-event.js';
import type { Role } from '../wire/role.js';

export interface TapProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** The streams of the initiator. Nothing else may use them. */
  readonly input: Readable;
  readonly output: Writable;
  /** Ends the process with SIGTERM. */
  readonly until?: Observable<unknown>;
  /**
   * Called once with the exit code, with 128 and the signal's number, or with 127 when the process
   * could not start.
   */
  readonly onExit?: (code: number) => void;
}

/** The exit code of a shell that cannot start a command. */
const NOT_STARTED = 127;

/**
 * Starts a process, relays its standard input and output, and emits what passes. It is connection
 * 1.
 *
 *     events  o-b-b--e-b-ec|      o: opened, b: bytes, e: ended, c: closed
 *
 * Only the pipes are visible, not memory that both sides share. Standard error is the process's
 * own. Each direction ends on its own, and a closed reader closes the writer. Completes when the
 * process has ended and its output has passed. Unsubscribing ends it with SIGTERM. Source:
 * PROTOCOL.md, "Drivers" and "Services".
 */
export function tapProcess({
  program,
  args,
  input,
  output,
  until,
  onExit,
}: TapProcessOptions): Observable<TapEvent> {
  return new Observable((out) => {
    const connection = 1;
    out.next({
      kind: 'opened',
      connection,
      at: now(),
      peer: { address: undefined, port: undefined },
      target: program,
    });
    let closing = 2;
    const exit = {
      code: NOT_STARTED,
      how: 'ended' as TapClosing,
      by: undefined as Role | undefined,
      reason: '',
    };
    const settle = (): void => {
      closing -= 1;
      if (closing > 0) return;
      input.destroy();
      const { code, ...end } = exit;
      out.next({ kind: 'closed', connection, at: now(), ...end });
      onExit?.(code);
      out.complete();
    };
    const notStarted = (error: unknown): void => {
      const reason = `Cannot start ${program}: ${messageOf(error)}.`;
      Object.assign(exit, { how: 'unreached', reason });
      closing = 1;
      settle();
    };
    let child: ChildProcessByStdio<Writable, Readable, null>;
    try {
      child = withPipes(2, () => spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] }));
    } catch (error) {
      notStarted(error);
      return;
    }
    child.once('error', notStarted);
    child.once('exit', (code, signal) => {
      Object.assign(exit, endOf(program, code, signal));
      settle();
    });
    relay('initiator', input, child.stdin, () => undefined);
    // The output has passed when our output is finished, or its reader has gone.
    relay('target', child.stdout, output, settle);
    out.add(until?.subscribe(() => child.kill('SIGTERM')));
    return () => {
      stop(child);
    };

    function relay(sender: Role, from: Readable, to: Writable, onOver: () => void): void {
      from.on('end', () => {
        out.next({ kind: 'ended', connection, at: now(), sender });
        to.end();
      });
      from.on('error', () => to.end());
      to.on('error', () => undefined).once('close', () => {
        from.destroy();
        onOver();
      });
      const onBytes = (chunk: Uint8Array): void => {
        out.next({ kind: 'bytes', connection, at: now(), sender, chunk });
      };
      passOn({ input: from, output: to, onBytes });
    }
  });
}

function endOf(program: string, code: number | null, signal: NodeJS.Signals | null) {
  if (signal !== null)
    return {
      code: 128 + constants.signals[signal],
      how: 'reset',
      by: 'target',
      reason: `${program} was ended by ${signal}.`,
    } as const;
  return {
    code: code ?? 0,
    how: 'ended',
    by: undefined,
    reason: `${program} ended with exit code ${code ?? 0}.`,
  } as const;
}

function stop(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  child.stdin?.destroy();
  child.stdout?.destroy();
}
