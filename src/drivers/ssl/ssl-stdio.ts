import { Socket } from 'node:net';
import { EMPTY, catchError, concat, defer, ignoreElements, of, switchMap } from 'rxjs';
import { AmandaError } from '../../wire/errors.js';
import type { Listener } from '../driver.js';
import { acceptSsl, type AcceptSslOptions } from './ssl.js';

/**
 * The one connection on inetd's standard input, over TLS.
 *
 * Completes after that connection, refused or not. Errors with `BAD_ARGUMENT` if standard input is
 * no TCP connection. Source: PROTOCOL.md, "Starting a service".
 */
export function listenSslStdio(options: AcceptSslOptions = {}): Listener {
  return {
    name: 'ssl',
    accept: (connectionOptions) =>
      defer(() => acceptSsl(inetdSocket(), options, connectionOptions)).pipe(
        switchMap((connection) =>
          concat(
            of(connection),
            connection.ended.pipe(
              ignoreElements(),
              catchError(() => EMPTY),
            ),
          ),
        ),
      ),
  };
}

function inetdSocket(): Socket {
  try {
    const socket = new Socket({ fd: 0, readable: true, writable: true });
    if (socket.remoteAddress !== undefined) return socket;
    throw new Error('standard input is no connected TCP socket');
  } catch (cause) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      'Standard input is no TCP connection: start this from inetd or xinetd, or let it listen with -tcp=PORT.',
      { cause },
    );
  }
}
