import { closeSync, fstatSync, openSync, writeSync, type Stats } from 'node:fs';
import { describePeer } from '../connection/channel.js';
import type { ServiceEvent } from '../target/serve.js';
import { AmandaError, isAmandaError } from '../wire/errors.js';
import { printable } from '../wire/text.js';
import { formatTime } from './units.js';

/** Where an amandad tells what it does. */
export type Log = (line: string) => void;

/** A log with a descriptor of its own; errors with `FILE_FAILED` when the file cannot be opened. */
export function openLog(file: string): { readonly log: Log; readonly close: () => void } {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'a', 0o600);
  } catch (cause) {
    throw new AmandaError('FILE_FAILED', `Cannot write the log ${file}: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
  return {
    log: (line) => {
      try {
        writeSync(descriptor, `${new Date().toISOString()} ${process.pid} ${printable(line, 2_000)}\n`);
      } catch {
        // A full disk must not end a backup for the sake of its log.
      }
    },
    close: () => {
      closeSync(descriptor);
    },
  };
}

/** Whether standard error is not the connection: inetd puts that on it too, where a word of ours would be taken for a frame. */
export function isStderrFree(describe: (descriptor: number) => Descriptor | undefined = describeDescriptor): boolean {
  const [input, output, errors] = [0, 1, 2].map(describe);
  if (errors === undefined) return false;
  return !errors.isSocket() || ![input, output].some((channel) => channel?.dev === errors.dev && channel.ino === errors.ino);
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

/** Tells one line for each request that is over, and for each connection that was no conversation. */
export function requestLog(log: Log, now: () => number = Date.now): (event: ServiceEvent) => void {
  const running = new Map<string, { readonly what: string; readonly since: number }>();
  return (event) => {
    const peer = describePeer(event.peer);
    switch (event.kind) {
      case 'admitted': {
        const { service, user } = event.request;
        running.set(`${peer} ${event.handle}`, { what: `${service}${user === undefined ? '' : ` for ${user}`}`, since: now() });
        return;
      }
      case 'refused':
        log(`${peer}: ${event.request?.service ?? 'a request'} refused: ${event.reason}`);
        return;
      case 'ended': {
        const request = running.get(`${peer} ${event.handle}`);
        if (request === undefined) return;
        running.delete(`${peer} ${event.handle}`);
        const why = event.error === undefined ? '' : `: ${event.error.message}`;
        log(`${peer}: ${request.what} ${event.outcome} after ${formatTime(now() - request.since)}${why}`);
        return;
      }
      case 'disconnected':
        // An initiator that leaves is no news: what it left unfinished has been told.
        if (event.error instanceof Error && !isAmandaError(event.error, 'CONNECTION_LOST')) log(`${peer}: ${event.error.message}`);
        return;
      case 'connected':
      case 'replied':
    }
  };
}
