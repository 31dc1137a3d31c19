import type { Connection } from '../connection/connection.js';
import type { AmandaError } from '../wire/errors.js';

/** An attempt that is about to be made again. */
export interface Retry {
  /** Whether the connection or the request is tried again. */
  readonly what: 'connect' | 'request';
  /** The target as a person names it. */
  readonly peer: string;
  /** The number of the coming attempt, from 2. */
  readonly attempt: number;
  /** The most attempts that there may be. */
  readonly tries: number;
  /** Why the last one failed. */
  readonly reason: string;
  /** Milliseconds until the coming attempt; absent when it is made now. */
  readonly wait?: number;
  /** The error of the last attempt to connect. */
  readonly error?: AmandaError;
}

const reporters = new WeakMap<Connection, (retry: Retry) => void>();

/** Has the retries of requests on a connection reported. */
export function reportRetriesOf(connection: Connection, report: (retry: Retry) => void): void {
  reporters.set(connection, report);
}

export function reportRetry(connection: Connection, retry: Retry): void {
  reporters.get(connection)?.(retry);
}
