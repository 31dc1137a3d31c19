import type { Socket } from 'node:net';
import { defer, map, switchMap } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import type { ConnectionOptions } from '../connection/options.js';
import { TcpmConnection } from '../connection/tcpm-connection.js';
import type { Driver, Listener } from './driver.js';
import { overChannel } from './over-channel.js';
import { checkPort } from '../transport/address.js';
import { socketChannel } from '../transport/socket.js';
import { checkOptions } from '../wire/arguments.js';
import { ownUserName } from './own-user.js';
import { acceptedWrites } from '../transport/write-scheduler.js';
import { connectTcp } from '../transport/tcp-connect.js';
import {
  DEFAULT_MAX_CONNECTIONS,
  listenTcp,
  type ListenTcpOptions,
} from '../transport/tcp-listen.js';
import { tcpSourcePorts } from './tcp-source-ports.js';
import { AMANDA_PORT } from '../wire/role.js';

/** Options of {@link bsdtcp}. */
export interface BsdtcpOptions {
  /** Name or address of the target. */
  readonly host: string;
  /** 1 … 65535, default 10080. */
  readonly port?: number;
  /** The name in `SECURITY USER`; default the user this process runs as. */
  readonly user?: string;
  /**
   * Range of source ports, default 512 to 1023. `false` lets the system choose; few targets accept
   * that.
   */
  readonly reservedPorts?: { readonly first: number; readonly last: number } | false;
}

/**
 * TCP from a reserved source port. The target trusts the user name of a peer that can bind one.
 *
 * Connecting tries every address of the host and every free port of the range, starting at a random
 * one. TCP keep-alive is on after a second. Errors with `CONNECT_FAILED` and `NO_RESERVED_PORT`.
 * Source: PROTOCOL.md, "Drivers".
 */
export function bsdtcp(options: BsdtcpOptions): Driver {
  checkOptions('bsdtcp', options, { host: 'name', user: 'name?' });
  const { host, port = AMANDA_PORT, user = ownUserName(), reservedPorts } = options;
  checkPort(port);
  return {
    name: 'bsdtcp',
    user,
    host,
    port,
    open: (connection) =>
      defer(() =>
        connectTcp({
          host,
          port,
          sourcePorts: reservedPorts === false ? undefined : tcpSourcePorts(reservedPorts),
        }),
      ).pipe(
        switchMap(({ socket, reader }) =>
          overChannel(
            socketChannel(socket, { driver: 'bsdtcp', host }, reader),
            { side: 'initiator', user },
            connection,
          ),
        ),
      ),
  };
}

/** Options of {@link listenBsdtcp}. */
export interface ListenBsdtcpOptions extends ListenTcpOptions {
  /** 0 … 65535, 0 for any free one; default 10080. */
  readonly port?: number;
}

/**
 * Accepts initiators over TCP. Errors with `CONNECT_FAILED` if listening fails. Source:
 * PROTOCOL.md, "Drivers".
 */
export function listenBsdtcp(options: ListenBsdtcpOptions = {}): Listener {
  checkOptions('listenBsdtcp', options, { host: 'name?', onListening: 'function?' });
  const { port = AMANDA_PORT, ...place } = options;
  const sockets = listenTcp(port, place);
  return {
    name: 'bsdtcp',
    maxConnections: place.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    accept: (connection) => sockets.pipe(map((socket) => acceptBsdtcp(socket, connection))),
  };
}

/** The connection of an initiator over an accepted socket. */
export function acceptBsdtcp(socket: Socket, options: ConnectionOptions): Connection {
  return new TcpmConnection(
    socketChannel(socket, { driver: 'bsdtcp' }),
    { side: 'target', namesUser: true },
    options,
    acceptedWrites.add,
  );
}
