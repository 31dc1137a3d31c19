import { createServer, type Server, type Socket } from 'node:net';
import {
  Observable,
  ReplaySubject,
  Subscription,
  catchError,
  defer,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import { plainAddress } from '../../access/peer.js';
import { sourcePorts } from '../../access/reserved-port.js';
import { streamNotTaken } from '../../connection/connection-errors.js';
import { describePeer, type Peer } from '../../transport/channel.js';
import type { ConnectedSocket } from '../../transport/socket.js';
import { connectTcp } from '../../transport/tcp-connect.js';
import { AmandaError } from '../../wire/errors.js';

/** A range of TCP ports, both ends included. */
export interface PortRange {
  /** The first port, 1 to 65,535. */
  readonly first: number;
  /** The last port, from `first` to 65,535. */
  readonly last: number;
}

/** How long an initiator tries to connect to an announced port, in milliseconds. */
const DIAL_TIMEOUT = 30_000;

/**
 * Milliseconds after a connection in which a second one shows that the first was not the
 * initiator's. The initiator connects as soon as it has the reply.
 */
const SETTLED_AFTER = 1_000;

/**
 * Connects to a port that the target has announced, from a port in the range if there is one.
 * Errors with `CONNECTION_LOST`, because the connection that the stream belongs to is not whole.
 */
export function dial(
  peer: Peer,
  port: number,
  range: PortRange | undefined,
): Observable<ConnectedSocket> {
  const host = peer.address ?? '';
  return defer(() =>
    connectTcp({
      host,
      port,
      sourcePorts: range === undefined ? undefined : [...sourcePorts(range)],
      allowHalfOpen: true,
    }),
  ).pipe(
    timeout({
      first: DIAL_TIMEOUT,
      with: () => throwError(() => new Error(`no answer within ${DIAL_TIMEOUT / 1000} s.`)),
    }),
    catchError((cause: unknown) => throwError(() => notConnected(peer, port, cause))),
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

export interface StreamListenerOptions {
  /** The address to listen on; default all. */
  readonly host?: string | undefined;
  /** The ports to choose from; default any that the system has free. */
  readonly ports?: PortRange | undefined;
  /** Milliseconds that the initiator has for connecting. */
  readonly wait: number;
}

/** A TCP port on which one connection is accepted, that of the peer. */
export interface StreamListener {
  readonly port: number;
  /**
   * The connection. One subscriber; unsubscribing stops listening. Errors with `CONNECTION_LOST`
   * when none comes in time. A second one from the peer's address within that time is the same
   * error, because another program may have made one of the two.
   */
  readonly arrival: Observable<ConnectedSocket>;
  /**
   * Completes a second after the connection has come, if it was the only one. Errors as `arrival`
   * does. It is there after `arrival` is unsubscribed, too.
   */
  readonly taken: Observable<never>;
  /** Stops listening, whatever is awaited. */
  readonly close: () => void;
}

/**
 * Listens for the peer's TCP connection. Others, told by their address, are reset. Errors with
 * `CONNECT_FAILED`.
 */
export function listenForStream(
  { address }: Peer,
  { host, ports, wait }: StreamListenerOptions,
): Observable<StreamListener> {
  return new Observable((out) => {
    listenFirst(host, ports === undefined ? [0] : [...sourcePorts(ports)]).then(
      (server) => {
        if (out.closed) {
          server.close();
          return;
        }
        out.next(listenerOf(server, address, wait));
        out.complete();
      },
      (error: unknown) => {
        out.error(error);
      },
    );
  });
}

function listenerOf(server: Server, address: string | undefined, wait: number): StreamListener {
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const taken = new ReplaySubject<never>(1);
  const timers = new Subscription();
  const close = (): void => {
    timers.unsubscribe();
    server.close();
  };
  const arrival = new Observable<ConnectedSocket>((out) => {
    let isTaken = false;
    let isSettled = false;
    const fail = (error: AmandaError): void => {
      close();
      taken.error(error);
      out.error(error);
    };
    server.on('connection', (socket: Socket) => {
      socket.on('error', () => undefined);
      if (plainAddress(socket.remoteAddress ?? '') !== plainAddress(address ?? '')) {
        socket.resetAndDestroy();
        return;
      }
      if (isTaken) {
        socket.resetAndDestroy();
        fail(takenByTwo(port));
        return;
      }
      isTaken = true;
      timers.add(
        timer(SETTLED_AFTER).subscribe(() => {
          isSettled = true;
          taken.complete();
          if (out.closed) close();
        }),
      );
      out.next({ socket });
    });
    // The initiator has come by then, so a later connection tells nothing about the first one.
    timers.add(
      timer(wait).subscribe(() => {
        if (isTaken) server.close();
        else fail(tooLate(port, wait));
      }),
    );
    return () => {
      if (!isTaken || isSettled) close();
    };
  });
  return { port, arrival, taken, close };
}

function tooLate(port: number, wait: number): AmandaError {
  return streamNotTaken(
    `The initiator did not connect to TCP port ${port} for its stream within ${wait / 1000} s; does a firewall let it through?`,
    port,
  );
}

function takenByTwo(port: number): AmandaError {
  return streamNotTaken(
    `Two programs on the initiator's host connected to TCP port ${port} for one stream. The first one may have read it in the place of the initiator.`,
    port,
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
    { cause: failure },
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
