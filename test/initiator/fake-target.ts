import {
  EMPTY,
  NEVER,
  Observable,
  concat,
  lastValueFrom,
  of,
  throwError,
  toArray,
  type OperatorFunction,
} from 'rxjs';
import { connect } from '../../src/initiator/connect.js';
import { memory } from '../../src/drivers/memory.js';
import type { Connection } from '../../src/connection/connection.js';
import {
  reply,
  type Service,
  type ServiceReply,
  type StreamHandler,
} from '../../src/exchange/service.js';
import { serve, type ServiceMap } from '../../src/target/serve.js';
import { isAmandaError } from '../../src/wire/errors.js';

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
export const text = (chunks: readonly Uint8Array[]): string => Buffer.concat(chunks).toString();

/** A stream that sends these texts and closes. */
export const says =
  (...parts: readonly string[]): StreamHandler =>
  () =>
    of(...parts.map(bytes));

/** A stream that sends these texts and then stays open. */
export const staysOpen =
  (...parts: readonly string[]): StreamHandler =>
  () =>
    concat(of(...parts.map(bytes)), NEVER);

/** A stream that sends these texts and then breaks, which ends the connection. */
export const breaks =
  (...parts: readonly string[]): StreamHandler =>
  () =>
    concat(
      of(...parts.map(bytes)),
      throwError(() => new Error('the disk is gone')),
    );

export const silent: StreamHandler = () => EMPTY;

/** The 12 bytes `Hello, dump!`, whose CRC-32C is 984e4927. */
export const DATA = 'Hello, dump!';
export const CRC = '984e4927';
export const INFO =
  'sendbackup: info BACKUP=/bin/tar\nsendbackup: info RECOVER_CMD=/bin/tar -xpGf - ...\nsendbackup: info end\n';
export const MESG = [
  'sendbackup: start [client:/home level 0]\n',
  INFO,
  '| Total bytes written: 12 (12B, 1MiB/s)\n',
  `sendbackup: native-CRC ${CRC}:12\nsendbackup: client-CRC ${CRC}:12\n`,
  'sendbackup: size 1\nsendbackup: end\n',
] as const;

/** The streams of a whole dump, with what a test changes. */
export function streams(
  changes: Readonly<Record<string, StreamHandler | undefined>> = {},
): Readonly<Record<string, StreamHandler | undefined>> {
  return {
    DATA: says(DATA),
    MESG: says(...MESG),
    INDEX: says('/\n/b/\n/o', 'ne\n'),
    STATE: silent,
    ...changes,
  };
}

export const dumping = (changes?: Readonly<Record<string, StreamHandler | undefined>>): Service =>
  answering(reply({ streams: streams(changes) }));

export const answering =
  (...replies: readonly ServiceReply[]): Service =>
  () =>
    of(...replies);

/** Runs a call against a target of these services; the result is everything that it emits. */
export async function call<T>(
  services: ServiceMap,
  operator: OperatorFunction<Connection, T>,
): Promise<readonly T[]> {
  return lastValueFrom(against(services, operator).pipe(toArray()));
}

/** The code of the error that a call ends with, and its sentence. */
export async function failure<T>(
  services: ServiceMap,
  operator: OperatorFunction<Connection, T>,
): Promise<{ readonly code: string; readonly message: string }> {
  return call(services, operator).then(
    (values) => ({
      code: 'no error',
      message: JSON.stringify(values, (_, value: unknown) =>
        value instanceof Observable ? 'stream' : value,
      ),
    }),
    (error: unknown) =>
      isAmandaError(error)
        ? { code: error.code, message: error.message }
        : { code: 'not ours', message: String(error) },
  );
}

export function against<T>(
  services: ServiceMap,
  operator: OperatorFunction<Connection, T>,
): Observable<T> {
  return new Observable((out) => {
    const { driver, listener } = memory();
    const target = serve(listener, services).subscribe();
    out.add(connect(driver).pipe(operator).subscribe(out));
    out.add(target);
  });
}

/** Runs two operators one after the other. */
export function through<A, B>(
  first: OperatorFunction<Connection, A>,
  second: OperatorFunction<A, B>,
): OperatorFunction<Connection, B> {
  return (connections) => connections.pipe(first, second);
}
