import { connect as connectSocket, type Socket, type TcpNetConnectOpts } from 'node:net';
import { Observable } from 'rxjs';
import { AmandaError } from '../wire/errors.js';
import { messageOf } from '../wire/text.js';
import { SocketReader } from './socket-reader.js';
import { unknownHost } from './address.js';

export interface TcpTarget {
  readonly host: string;
  readonly port: number;
  /** Source ports to try, in order; without them the system chooses. */
  readonly sourcePorts?: Iterable<number> | undefined;
  /** Whether the socket may go on sending after the peer has ended its direction. Default false. */
  readonly allowHalfOpen?: boolean;
}

/** A connected socket and its reader. */
export interface TcpConnected<S extends Socket = Socket> {
  readonly socket: S;
  readonly reader: SocketReader;
}

/**
 * Connects a TCP socket: address by address of the host, and source port by source port.
 *
 * Emits the connected socket once and completes; unsubscribing before that ends the attempt. Errors
 * with `CONNECT_FAILED` if no address can be reached, and with `NO_RESERVED_PORT` if no source port
 * can be bound.
 */
export function connectTcp(target: TcpTarget): Observable<TcpConnected> {
  return connectBy(connectSocket, target);
}

/** Begins to connect a socket, as `connect` of `node:net` does. */
type Begin<S extends Socket> = (options: TcpNetConnectOpts) => S;

/** {@link connectTcp} with sockets that `begin` makes. */
export function connectBy<S extends Socket>(
  begin: Begin<S>,
  target: TcpTarget,
): Observable<TcpConnected<S>> {
  return new Observable((out) => {
    const attempt = new AbortController();
    let isSettled = false;
    attemptAll(begin, target, attempt.signal).then(
      (connected) => {
        isSettled = true;
        if (attempt.signal.aborted) connected.socket.destroy();
        else {
          out.next(connected);
          out.complete();
        }
      },
      (error: unknown) => {
        isSettled = true;
        out.error(error);
      },
    );
    return () => {
      // An abort makes an error with a stack, so a settled attempt is spared it.
      if (!isSettled) attempt.abort();
    };
  });
}

async function attemptAll<S extends Socket>(
  begin: Begin<S>,
  target: TcpTarget,
  signal: AbortSignal,
): Promise<TcpConnected<S>> {
  const addresses = await addressesOf(target.host);
  let failure: unknown;
  for (const address of addresses) {
    try {
      return await attemptAddress(begin, target, address, signal);
    } catch (error) {
      if (signal.aborted || (error instanceof AmandaError && error.code === 'NO_RESERVED_PORT'))
        throw error;
      failure = error;
    }
  }
  throw connectFailed(target, failure);
}

async function addressesOf(host: string): Promise<readonly string[]> {
  // Loaded here, because a target that inetd starts needs no resolver.
  const { lookup } = await import('node:dns/promises');
  try {
    return (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address);
  } catch (cause) {
    throw unknownHost(host, cause);
  }
}

async function attemptAddress<S extends Socket>(
  begin: Begin<S>,
  target: TcpTarget,
  address: string,
  signal: AbortSignal,
): Promise<TcpConnected<S>> {
  if (target.sourcePorts === undefined)
    return attemptOnce(begin, target, address, undefined, signal);
  let failure: unknown;
  for (const localPort of target.sourcePorts) {
    try {
      return await attemptOnce(begin, target, address, localPort, signal);
    } catch (error) {
      if (!isPortTrouble(error)) throw error;
      failure = error;
      if (error.code === 'EACCES') break;
    }
  }
  throw noReservedPort(target, failure);
}

function attemptOnce<S extends Socket>(
  begin: Begin<S>,
  { port, allowHalfOpen = false }: TcpTarget,
  host: string,
  localPort: number | undefined,
  signal: AbortSignal,
): Promise<TcpConnected<S>> {
  return new Promise((resolve, reject) => {
    const reader = new SocketReader();
    const socket = begin({
      port,
      host,
      allowHalfOpen,
      onread: reader.onread,
      ...(localPort === undefined ? {} : { localPort }),
    });
    const stop = (): void => {
      socket.destroy(new Error('The attempt was cancelled.'));
    };
    const settle = (): void => {
      signal.removeEventListener('abort', stop);
      socket.off('error', fail);
    };
    const fail = (error: Error): void => {
      settle();
      socket.on('error', () => undefined).destroy();
      reject(error);
    };
    signal.addEventListener('abort', stop, { once: true });
    socket.once('error', fail);
    socket.once('connect', () => {
      settle();
      resolve({ socket, reader });
    });
  });
}

type PortTrouble = Error & {
  readonly code: 'EADDRINUSE' | 'EADDRNOTAVAIL' | 'EACCES';
  readonly syscall: 'bind' | 'connect';
};

/**
 * The source port is busy or forbidden. EADDRNOTAVAIL: the same pair of ports is, or was just, in
 * use.
 */
function isPortTrouble(error: unknown): error is PortTrouble {
  const { code, syscall } = error as Partial<PortTrouble>;
  return (
    code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL' || (code === 'EACCES' && syscall === 'bind')
  );
}

function noReservedPort({ host }: TcpTarget, cause: unknown): AmandaError {
  const forbidden = (cause as Partial<PortTrouble> | undefined)?.code === 'EACCES';
  const message = forbidden
    ? `Connecting to ${host} needs a source port below 1024, and this user may not bind one. Run as root, give node CAP_NET_BIND_SERVICE, or lower the sysctl net.ipv4.ip_unprivileged_port_start.`
    : `No reserved source port is free for connecting to ${host}; all of the range were tried.`;
  return new AmandaError('NO_RESERVED_PORT', message, { cause, peer: host });
}

function connectFailed({ host, port }: TcpTarget, cause: unknown): AmandaError {
  const code = (cause as { readonly code?: string } | undefined)?.code;
  const advice: Readonly<Record<string, string>> = {
    ECONNRESET:
      'the peer closed the connection immediately; does xinetd (only_from) or a TCP wrapper turn this host away, and is this the port of amandad?',
    ECONNREFUSED:
      'nothing listens there; is amandad set up (inetd, xinetd or systemd), and is this its port?',
    EHOSTUNREACH: 'the host cannot be reached; is it up?',
    ENETUNREACH: 'there is no route to its network.',
    ETIMEDOUT: 'it does not answer; is it up, and does a firewall let the port through?',
  };
  return new AmandaError(
    'CONNECT_FAILED',
    `Cannot connect to ${host} port ${port}: ${advice[code ?? ''] ?? `${messageOf(cause)}.`}`,
    { cause, peer: host },
  );
}
