import { createServer, type Server, type Socket } from 'node:net';
import { Observable } from 'rxjs';
import { listenFailed } from './listen-failed.js';
import { inRange } from '../wire/ranges.js';
import { checkPort } from './address.js';

/** How a target listens for TCP connections; each driver has a port of its own. */
export interface ListenTcpOptions {
  /** Address to listen on; default all of this host. */
  readonly host?: string;
  /**
   * Connections at once; more are refused. `serve` first ends those without an admitted request.
   * Default 1,024.
   */
  readonly maxConnections?: number;
  /** Called with the port when listening has begun. */
  readonly onListening?: (port: number) => void;
}

/** The default of `maxConnections`. */
export const DEFAULT_MAX_CONNECTIONS = 1_024;

/**
 * The connections to a port, 0 for any free one; unsubscribing stops listening and leaves them
 * open. Throws `BAD_ARGUMENT` for an invalid port, errors with `CONNECT_FAILED` if listening fails.
 */
export function listenTcp(
  port: number,
  { host, maxConnections = DEFAULT_MAX_CONNECTIONS, onListening }: ListenTcpOptions,
): Observable<Socket> {
  if (port !== 0) checkPort(port);
  inRange('The option maxConnections', maxConnections, 1, Number.MAX_SAFE_INTEGER);
  return new Observable((out) => {
    const server = createServer((socket) => {
      // The driver adds its own listener; until then an error must not end the process.
      socket.on('error', () => undefined);
      out.next(socket);
    });
    server.maxConnections = maxConnections;
    server.on('error', (cause) => {
      out.error(listenFailed(`${host ?? 'any address'} port ${port}`, cause));
    });
    server.listen({ port, host }, () => onListening?.(portOf(server, port)));
    return () => {
      server.close();
    };
  });
}

function portOf(server: Server, asked: number): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : asked;
}
