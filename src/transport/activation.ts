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
  /**
   * A descriptor: a listening socket (`Accept=no`, inetd's `wait`) or a connection (`Accept=yes`).
   */
  | { readonly kind: 'socket'; readonly descriptor: number; readonly by: 'systemd' | 'inetd' }
  /** systemd's variables cannot be used. */
  | { readonly kind: 'unusable'; readonly error: AmandaError };

/**
 * Reads LISTEN_FDS and LISTEN_PID, and removes them from the environment, because they are not
 * meant for children. The error of variables that cannot be used is `BAD_ARGUMENT`.
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

/** The listening socket of inetd's `wait`; undefined if standard input is anything else. */
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
  /**
   * Called before the first connection is taken, with the port when the socket is one that listens.
   */
  readonly onReady?: (port: number | undefined) => void;
}

/**
 * The connections of an inherited TCP socket: those that a listening socket accepts, or the socket
 * itself, after which it completes. Unsubscribing stops accepting; later peers wait for the next
 * process that gets the socket. Errors with `BAD_ARGUMENT` if the descriptor is no TCP socket.
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
    // The server takes over the socket's handle, and closes it.
    server.listen(inherited, () => onReady?.(inherited.localPort));
    return () => {
      server.close();
    };
  });
}

/**
 * Whether a socket listens shows only after opening it, and a reading one would read. So it is
 * opened for neither direction. A connection is then opened once more; closing the first would
 * close both.
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
