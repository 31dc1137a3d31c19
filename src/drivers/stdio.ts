import { Socket } from 'node:net';
import { hostname } from 'node:os';
import {
  Observable,
  concat,
  defer,
  finalize,
  ignoreElements,
  of,
  switchMap,
  take,
  takeUntil,
  tap,
  throwError,
  timer,
} from 'rxjs';
import type { Refused } from '../access/verdict.js';
import type { Channel, Peer } from '../transport/channel.js';
import type { Connection } from '../connection/connection.js';
import type { ConnectionOptions } from '../connection/options.js';
import { TcpmConnection } from '../connection/tcpm-connection.js';
import { defaultTiming } from '../exchange/timing.js';
import { checkOptions, shownValue } from '../wire/arguments.js';
import { AmandaError } from '../wire/errors.js';
import { packet } from '../wire/packet.js';
import type { Listener } from './driver.js';
import { socketChannel } from '../transport/socket.js';
import { sshPeer, type SshPeer } from './ssh-peer.js';
import { StreamChannel } from '../transport/stream-channel.js';

/** Options of {@link listenStdio}. */
export interface StdioOptions {
  /** The driver whose rules apply. */
  readonly auth: 'bsdtcp' | 'local' | 'ssh' | 'rsh';
}

/**
 * The one connection on standard input and output, from inetd (bsdtcp), sshd, rshd or the initiator
 * itself (local).
 *
 * Completes after that connection. Errors with `BAD_ARGUMENT` if they are neither a socket nor
 * pipes. Without `SSH_CONNECTION` auth ssh answers with a NAK and errors with `ACCESS_DENIED`.
 * Source: PROTOCOL.md, "Starting a service" and "Drivers".
 */
export function listenStdio(stdio: StdioOptions): Listener {
  checkOptions('listenStdio', stdio, { auth: 'name' });
  const { auth } = stdio;
  if (!auths.includes(auth))
    throw new AmandaError(
      'BAD_ARGUMENT',
      `The option auth of listenStdio must be ${auths.join(', ')}, not ${shownValue(auth)}.`,
    );
  return {
    name: auth,
    accept: (options) =>
      defer(() => identify(auth)).pipe(
        switchMap((found) => {
          if (found.kind === 'peer') return connectionOver(auth, found.peer, options);
          return connectionOver(auth, { driver: auth }, options).pipe(
            switchMap((connection) => turnAway(connection, found)),
          );
        }),
      ),
  };
}

const auths: readonly StdioOptions['auth'][] = ['bsdtcp', 'local', 'ssh', 'rsh'];

function identify(auth: StdioOptions['auth']): Observable<SshPeer | Refused> {
  if (auth === 'ssh') return sshPeer(process.env.SSH_CONNECTION);
  return of({
    kind: 'peer',
    peer: { driver: auth, ...(auth === 'local' ? { host: hostname() } : {}) },
  });
}

function connectionOver(
  auth: StdioOptions['auth'],
  peer: Peer,
  options: ConnectionOptions,
): Observable<Connection> {
  return new Observable((out) => {
    let channel: Channel;
    try {
      channel = auth === 'bsdtcp' ? inetdChannel(peer) : pipeChannel(peer);
    } catch (cause) {
      out.error(
        new AmandaError(
          'BAD_ARGUMENT',
          `Standard input and output are no channel for auth ${auth}: start this from inetd, xinetd or an initiator, or let it listen with -tcp=PORT.`,
          { cause },
        ),
      );
      return;
    }
    const connection = new TcpmConnection(
      channel,
      { side: 'target', namesUser: auth === 'bsdtcp' },
      options,
    );
    out.next(connection);
    out.add(
      connection.ended.subscribe({
        error: () => {
          out.complete();
        },
        complete: () => {
          out.complete();
        },
      }),
    );
  });
}

/**
 * Answers the first request with a NAK and ends the connection; without a request it ends it soon.
 */
function turnAway(connection: Connection, { reason, shown }: Refused): Observable<never> {
  const answered = connection.incoming.pipe(
    switchMap((handle) =>
      handle.packets.pipe(
        take(1),
        tap(() => {
          handle.send(packet('NAK', `ERROR ${reason}\n`));
          handle.close();
        }),
      ),
    ),
    take(1),
    finalize(() => {
      connection.close();
    }),
    ignoreElements(),
    takeUntil(timer(defaultTiming.idleTimeout)),
  );
  return concat(
    answered,
    throwError(() => new AmandaError('ACCESS_DENIED', `${shown}.`)),
  );
}

function inetdChannel(peer: Peer): Channel {
  const socket = new Socket({ fd: 0, readable: true, writable: true });
  if (socket.remoteAddress === undefined)
    throw new Error('standard input is no connected TCP socket');
  return socketChannel(socket, peer);
}

function pipeChannel(peer: Peer): Channel {
  const input = new Socket({ fd: 0, readable: true, writable: false });
  const output = new Socket({ fd: 1, readable: false, writable: true });
  return new StreamChannel({ input, output, peer });
}
