import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { fstatSync, readFileSync } from 'node:fs';
import { Observable } from 'rxjs';
import { listenFailed } from './listen-failed.js';
import { AmandaError } from '../wire/errors.js';
import { messageOf } from '../wire/text.js';
import { unknownHost } from './address.js';

export interface UdpTarget {
  readonly host: string;
  readonly port: number;
  /** Source ports to try, in order; without them the system chooses. */
  readonly sourcePorts?: Iterable<number> | undefined;
}

/** A UDP socket that sends to one peer and hears only from it. */
export interface ConnectedUdp {
  readonly socket: Socket;
  readonly address: string;
}

/**
 * A UDP socket towards one host, from one of the source ports; emitted once and closed when
 * unsubscribed.
 *
 * UDP does not report a wrong address, so only one is tried: the first IPv4 address, else the first
 * IPv6 address. Errors with `CONNECT_FAILED` and `NO_RESERVED_PORT`.
 */
export function connectUdp(target: UdpTarget): Observable<ConnectedUdp> {
  return owned(
    () => connectTo(target),
    ({ socket }) => socket,
  );
}

/**
 * A UDP socket that listens; emitted once and closed when unsubscribed. Errors with
 * `CONNECT_FAILED`.
 */
export function listenUdp(port: number, host: string | undefined): Observable<Socket> {
  return owned(
    () => bindTo(port, host),
    (socket) => socket,
  );
}

/**
 * The UDP socket on inetd's standard input; emitted once, closed when unsubscribed. Errors with
 * `BAD_ARGUMENT`.
 */
export function inheritUdp(): Observable<Socket> {
  return owned(inherited, (socket) => socket);
}

/** Emits what `make` resolves to once; unsubscribing closes its socket. */
function owned<T>(make: () => Promise<T>, socketOf: (made: T) => Socket): Observable<T> {
  return new Observable((out) => {
    make().then(
      (made) => {
        // An error after the last listener has left must not end the process.
        const socket = socketOf(made).on('error', () => undefined);
        if (out.closed) socket.close();
        else {
          out.add(() => socket.close());
          out.next(made);
        }
      },
      (error: unknown) => {
        out.error(error);
      },
    );
  });
}

async function connectTo({ host, port, sourcePorts }: UdpTarget): Promise<ConnectedUdp> {
  const { address, family } = await addressOf(host);
  const socket = await bindFirst(host, family, sourcePorts ?? [0]);
  try {
    await happens(socket, 'connect', () => {
      socket.connect(port, address);
    });
    return { socket, address };
  } catch (cause) {
    socket.close();
    throw new AmandaError(
      'CONNECT_FAILED',
      `Cannot send to ${host} port ${port}/udp: ${messageOf(cause)}.`,
      { cause, peer: host },
    );
  }
}

interface Address {
  readonly address: string;
  readonly family: number;
}

async function addressOf(host: string): Promise<Address> {
  try {
    const found = await lookup(host, { all: true, order: 'verbatim' });
    const address = found.find(({ family }) => family === 4) ?? found[0];
    if (address !== undefined) return address;
  } catch (cause) {
    throw unknownHost(host, cause);
  }
  throw new AmandaError('CONNECT_FAILED', `The host ${host} has no address.`, { peer: host });
}

async function bindFirst(host: string, family: number, ports: Iterable<number>): Promise<Socket> {
  let failure: unknown;
  for (const port of ports) {
    try {
      return await bound(family, { port, exclusive: true });
    } catch (error) {
      failure = error;
      if (codeOf(error) !== 'EADDRINUSE') break;
    }
  }
  throw new AmandaError(
    'NO_RESERVED_PORT',
    codeOf(failure) === 'EACCES'
      ? `Asking ${host} needs a UDP source port below 1024, and this user may not bind one. Run as root, give node CAP_NET_BIND_SERVICE, or lower the sysctl net.ipv4.ip_unprivileged_port_start.`
      : `No reserved UDP source port could be had for asking ${host}${failure === undefined ? '' : ` (${messageOf(failure)})`}; all of the range were tried.`,
    { cause: failure, peer: host },
  );
}

async function bindTo(port: number, host: string | undefined): Promise<Socket> {
  try {
    if (host !== undefined) {
      const { address, family } = await addressOf(host);
      return await bound(family, { port, address, exclusive: true });
    }
    // All addresses of both families.
    return await bound(6, { port, exclusive: true }).catch((error: unknown) => {
      if (codeOf(error) === 'EADDRINUSE' || codeOf(error) === 'EACCES') throw error;
      return bound(4, { port, exclusive: true });
    });
  } catch (cause) {
    if (cause instanceof AmandaError) throw cause;
    throw listenFailed(`${host ?? 'any address'} port ${port}/udp`, cause);
  }
}

async function inherited(): Promise<Socket> {
  try {
    const [input, output] = [fstatSync(0), fstatSync(1)];
    // Node takes over every descriptor but 0. inetd puts the socket on 1 as well.
    if (!input.isSocket() || input.ino !== output.ino)
      throw new Error('they are not one and the same socket');
    return await bound(isIPv6Socket(input.ino) ? 6 : 4, { fd: 1 });
  } catch (cause) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      `Standard input and output are no UDP socket (${messageOf(cause)}): start this from inetd or xinetd with "wait", or let it listen with -udp=PORT.`,
      { cause },
    );
  }
}

/** The kernel's table of IPv6 UDP sockets has the inode of each in its tenth column. */
function isIPv6Socket(inode: number): boolean {
  try {
    return readFileSync('/proc/net/udp6', 'latin1')
      .split('\n')
      .some((line) => line.trim().split(/\s+/)[9] === String(inode));
  } catch {
    return false;
  }
}

async function bound(
  family: number,
  to: {
    readonly port?: number;
    readonly address?: string;
    readonly exclusive?: boolean;
    readonly fd?: number;
  },
): Promise<Socket> {
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // Addresses are numeric, so the lookup is immediate: a datagram leaves even if the socket
    // closes next.
    lookup: (address, _options, found) => {
      found(null, address, family);
    },
  });
  try {
    await happens(socket, 'listening', () => {
      socket.bind(to);
    });
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

function happens(socket: Socket, event: 'listening' | 'connect', start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      socket.off(event, succeed).off('error', fail);
    };
    const succeed = (): void => {
      settle();
      resolve();
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
    };
    socket.once(event, succeed).once('error', fail);
    start();
  });
}

function codeOf(error: unknown): string | undefined {
  return (error as { readonly code?: string } | undefined)?.code;
}
