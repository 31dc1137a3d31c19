import { createServer, type Server } from 'node:net';
import { userInfo } from 'node:os';
import { Observable, defer, switchMap } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import type { ConnectionOptions } from '../connection/options.js';
import { TcpmConnection } from '../connection/tcpm-connection.js';
import { AmandaError } from '../wire/errors.js';
import type { Driver, Listener } from './driver.js';
import { socketChannel } from './socket.js';
import { connectTcp, type TcpConnected } from './tcp-connect.js';
import { tcpSourcePorts } from './tcp-source-ports.js';
import { yieldConnection } from './yield-connection.js';

/** The port of amandad. Source: PROTOCOL.md, "Drivers". */
export const AMANDA_PORT = 10_080;

export interface BsdtcpOptions {
  /** Name or address of the target. */
  readonly host: string;
  /** 1 … 65535, default 10080. */
  readonly port?: number;
  /** The name in `SECURITY USER`; default the user this process runs as. */
  readonly user?: string;
  /** Range of source ports, default 512 to 1023; `false` lets the system choose, which only targets that do not check it accept. */
  readonly reservedPorts?: { readonly first: number; readonly last: number } | false;
}

/**
 * TCP, from a reserved source port: who may bind one is trusted to name its user.
 *
 * Connecting tries every address of the host and every free port of the range, from a random one on; TCP keep-alive is on.
 * Errors with `CONNECT_FAILED` and `NO_RESERVED_PORT`. Source: PROTOCOL.md, "Drivers".
 */
export function bsdtcp({ host, port = AMANDA_PORT, user = userInfo().username, reservedPorts }: BsdtcpOptions): Driver {
  checkPort(port);
  return {
    name: 'bsdtcp',
    user,
    open: (options) =>
      defer(() => connectTcp({ host, port, sourcePorts: reservedPorts === false ? undefined : tcpSourcePorts(reservedPorts) })).pipe(
        switchMap((connected) => connectionOver(connected, host, user, options)),
      ),
  };
}

function connectionOver({ socket, reader }: TcpConnected, host: string, user: string, options: ConnectionOptions): Observable<Connection> {
  return new Observable((out) =>
    yieldConnection(new TcpmConnection(socketChannel(socket, { driver: 'bsdtcp', host }, reader), { side: 'initiator', user }, options), out),
  );
}

export interface ListenBsdtcpOptions {
  /** 0 … 65535, 0 for any free one; default 10080. */
  readonly port?: number;
  /** Address to listen on; default all of this host. */
  readonly host?: string;
  /** Connections at once; more are turned away at once. `serve` ends those first on which nothing was let in. Default 1,024. */
  readonly maxConnections?: number;
  /** Called with the port when listening has begun. */
  readonly onListening?: (port: number) => void;
}

/** Accepts initiators over TCP. Errors with `CONNECT_FAILED` when the address cannot be listened on. Source: PROTOCOL.md, "Drivers". */
export function listenBsdtcp({ port = AMANDA_PORT, host, maxConnections = 1_024, onListening }: ListenBsdtcpOptions = {}): Listener {
  if (port !== 0) checkPort(port);
  return {
    name: 'bsdtcp',
    maxConnections,
    accept: (options) =>
      new Observable((out) => {
        const server = createServer((socket) => {
          out.next(new TcpmConnection(socketChannel(socket, { driver: 'bsdtcp' }), { side: 'target', namesUser: true }, options));
        });
        server.maxConnections = maxConnections;
        server.on('error', (cause) => {
          out.error(new AmandaError('CONNECT_FAILED', `Cannot listen on ${host ?? 'any address'} port ${port}: ${cause.message}.`, { cause }));
        });
        server.listen({ port, host }, () => onListening?.(portOf(server, port)));
        return () => {
          server.close();
        };
      }),
  };
}

function portOf(server: Server, asked: number): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : asked;
}

function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new AmandaError('BAD_ARGUMENT', `A port is a whole number from 1 to 65535, not ${port}.`);
}
