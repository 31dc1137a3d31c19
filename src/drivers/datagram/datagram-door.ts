import { createServer, type Server, type Socket } from 'node:net';
import { Observable, catchError, defer, map, throwError, timeout } from 'rxjs';
import { plainAddress } from '../../access/peer.js';
import { sourcePorts } from '../../access/reserved-port.js';
import { describePeer, type Peer } from '../../transport/channel.js';
import { AmandaError } from '../../wire/errors.js';
import type { SocketReader } from '../../transport/socket-reader.js';
import { connectTcp } from '../../transport/tcp-connect.js';

/** A range of TCP ports, both ends included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** A TCP connection that carries streams, and what takes the bytes that it reads if it was made with one. */
export interface SideSocket {
  readonly socket: Socket;
  readonly reader?: SocketReader;
}

/** How long an initiator tries to connect to an announced port, in milliseconds. */
const DIAL_TIMEOUT = 30_000;

/** Connects to a port that the target has announced. Errors with `CONNECTION_LOST`: the connection that the stream belongs to is not whole. */
export function dial(
  peer: Peer,
  port: number,
  range: PortRange | undefined,
): Observable<SideSocket> {
  const host = peer.address ?? '';
  return defer(() =>
    connectTcp({
      host,
      port,
      sourcePorts: range === undefined ? undefined : [...sourcePorts(range)],
    }),
  ).pipe(
    timeout({
      first: DIAL_TIMEOUT,
      with: () => throwError(() => new Error(`no answer within ${DIAL_TIMEOUT / 1000} s.`)),
    }),
    catchError((cause: unknown) => throwError(() => notConnected(peer, port, cause))),
    map((connected) => {
      connected.socket.allowHalfOpen = true;
      return connected;
    }),
  );
}

function notConnected(peer: Peer, port: number, cause: unknown): AmandaError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new AmandaError(
    'CONNECTION_LOST',
    `${describePeer(peer)} has announced a stream on its TCP port ${port}, which cannot be reached; does a firewall let it through? ${why}`,
    { cause, peer: describePeer(peer), handle: port },
  );
}

export interface DoorOptions {
  /** The address to listen on; default all. */
  readonly host?: string | undefined;
  /** The ports to choose from; default any that the system has free. */
  readonly ports?: PortRange | undefined;
  /** Milliseconds that the initiator has for connecting. */
  readonly wait: number;
}

/** A listening TCP port that lets in one connection, that of the peer. */
export interface Door {
  readonly port: number;
  /** The connection. One subscriber; unsubscribing closes the door. Errors with `CONNECTION_LOST` when it does not come in time. */
  readonly arrival: Observable<SideSocket>;
  close(): void;
}

/** Listens for the peer's TCP connection: others are turned away, known only by their address. Errors with `CONNECT_FAILED`. */
export function openDoor({ address }: Peer, { host, ports, wait }: DoorOptions): Observable<Door> {
  return new Observable((out) => {
    listenFirst(host, ports === undefined ? [0] : [...sourcePorts(ports)]).then(
      (server) => {
        const door = doorOf(server, address, wait);
        if (out.closed) door.close();
        else {
          out.next(door);
          out.complete();
        }
      },
      (error: unknown) => {
        out.error(error);
      },
    );
  });
}

function doorOf(server: Server, address: string | undefined, wait: number): Door {
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const close = (): void => {
    server.close();
  };
  const arrival = new Observable<SideSocket>((out) => {
    server.on('connection', (socket: Socket) => {
      socket.on('error', () => undefined);
      if (plainAddress(socket.remoteAddress ?? '') !== plainAddress(address ?? '')) {
        socket.resetAndDestroy();
        return;
      }
      server.close();
      out.next({ socket });
      out.complete();
    });
    return close;
  });
  return {
    port,
    close,
    arrival: arrival.pipe(
      timeout({ first: wait, with: () => throwError(() => nobodyCame(port, wait)) }),
    ),
  };
}

function nobodyCame(port: number, wait: number): AmandaError {
  return new AmandaError(
    'CONNECTION_LOST',
    `The initiator did not connect to TCP port ${port} for its stream within ${wait / 1000} s; does a firewall let it through?`,
    { handle: port },
  );
}

async function listenFirst(host: string | undefined, ports: readonly number[]): Promise<Server> {
  let failure: unknown;
  for (const port of ports) {
    try {
      return await listenOn(host, port);
    } catch (error) {
      failure = error;
      if ((error as { readonly code?: string }).code !== 'EADDRINUSE') break;
    }
  }
  throw new AmandaError(
    'CONNECT_FAILED',
    `No TCP port can be listened on for a stream: ${failure instanceof Error ? failure.message : 'none is free'}.`,
    {
      cause: failure,
    },
  );
}

function listenOn(host: string | undefined, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true });
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject).on('error', () => undefined);
      resolve(server);
    });
  });
}
