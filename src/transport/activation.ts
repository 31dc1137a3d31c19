import { createServer, Socket } from 'node:net';
import { Observable } from 'rxjs';
import { AmandaError } from '../wire/errors.js';

/** The descriptor of the first socket that systemd hands over. */
const FIRST_DESCRIPTOR = 3;
const STANDARD_INPUT = 0;

/** What socket this process was started with, besides a connection on standard input. */
export type Activation =
  /** None. */
  | { readonly kind: 'none' }
  /** This descriptor: of systemd one that listens (`Accept=no`) or a connection (`Accept=yes`), of inetd one that listens (`wait`). */
  | { readonly kind: 'socket'; readonly descriptor: number; readonly by: 'systemd' | 'inetd' }
  /** What systemd said of it cannot be used. */
  | { readonly kind: 'unusable'; readonly error: AmandaError };

/**
 * Reads LISTEN_FDS and LISTEN_PID, and takes them and what belongs to them out of the environment: children must not take
 * what was meant for this process. The error of what cannot be used is `BAD_ARGUMENT`.
 */
export function takeActivation(
  env: NodeJS.ProcessEnv = process.env,
  pid: number = process.pid,
): Activation {
  const { LISTEN_FDS: count, LISTEN_PID: meant } = env;
  for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'])
    Reflect.deleteProperty(env, name);
  if (count === undefined || count === '0') return { kind: 'none' };
  if (meant !== String(pid)) {
    return unusable(
      `The socket in LISTEN_FDS is for process ${shown(meant)} (LISTEN_PID), and this is ${pid}: a script in between has to start this program with exec.`,
    );
  }
  if (count !== '1')
    return unusable(
      `One socket is needed and LISTEN_FDS says ${shown(count)}: give the socket unit one ListenStream= alone.`,
    );
  return { kind: 'socket', descriptor: FIRST_DESCRIPTOR, by: 'systemd' };
}

/** The socket on which inetd has this process wait for connections (`wait`); undefined when standard input is anything else. */
export function waitingActivation(): Activation | undefined {
  try {
    return look(STANDARD_INPUT).remoteAddress === undefined
      ? { kind: 'socket', descriptor: STANDARD_INPUT, by: 'inetd' }
      : undefined;
  } catch {
    return undefined;
  }
}

export interface InheritOptions {
  /** Connections at once; more are turned away at once. Default 1,024. */
  readonly maxConnections?: number;
  /** Called before the first connection is taken, with the port when the socket is one that listens. */
  readonly onReady?: (port: number | undefined) => void;
}

/**
 * The connections of an inherited TCP socket: those that come in on one that listens, or the socket itself, after which it
 * completes. Unsubscribing stops listening, and whoever connects after that waits for the next process that is handed the socket. Errors with
 * `BAD_ARGUMENT` when the descriptor is no TCP socket.
 */
export function inheritedSockets(
  descriptor: number,
  { maxConnections = 1_024, onReady }: InheritOptions = {},
): Observable<Socket> {
  return new Observable((out) => {
    let inherited: Socket;
    try {
      inherited = look(descriptor);
    } catch (cause) {
      out.error(
        new AmandaError(
          'BAD_ARGUMENT',
          `Descriptor ${descriptor} is no TCP socket; a socket unit needs ListenStream= with a port.`,
          { cause },
        ),
      );
      return;
    }
    if (inherited.remoteAddress !== undefined) {
      onReady?.(undefined);
      out.next(new Socket({ fd: descriptor, readable: true, writable: true }));
      out.complete();
      return;
    }
    const server = createServer((socket) => {
      out.next(socket);
    });
    server.maxConnections = maxConnections;
    server.on('error', (cause) => {
      out.error(
        new AmandaError(
          'BAD_ARGUMENT',
          `Descriptor ${descriptor} is neither a TCP connection nor listens for any: ${cause.message}.`,
          { cause },
        ),
      );
    });
    // The server takes over what is behind the socket, and closes it.
    server.listen(inherited, () => onReady?.(inherited.localPort));
    return () => {
      server.close();
    };
  });
}

/**
 * Whether a socket listens shows only once it is open, and opening one for reading would read from it. So it is opened for nothing
 * first. A connection is then opened once more, and this one left as it is: closing it would close the connection.
 */
function look(descriptor: number): Socket {
  const socket = new Socket({ fd: descriptor, readable: false, writable: false });
  if (socket.localAddress === undefined) throw new Error('it has no address');
  return socket;
}

function unusable(message: string): Activation {
  return { kind: 'unusable', error: new AmandaError('BAD_ARGUMENT', message) };
}

function shown(text = 'nobody'): string {
  return /^\d{1,10}$/.test(text) ? text : 'nobody';
}
