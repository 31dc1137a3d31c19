import { createServer, type Socket } from 'node:net';
import { Observable, type Subscriber, type Subscription } from 'rxjs';
import { listenFailed } from '../transport/listen-failed.js';
import { keepAliveNow } from '../transport/keep-alive.js';
import { connectTcp } from '../transport/tcp-connect.js';
import { tcpSourcePorts } from '../drivers/tcp-source-ports.js';
import { relaySockets, reset } from './relay-sockets.js';
import { now, type TapClosing, type TapEvent } from './tap-event.js';
import type { Role } from '../wire/role.js';
import { messageOf } from '../wire/text.js';

export interface TapTcpOptions {
  readonly listen: {
    /** Default 127.0.0.1. */
    readonly host?: string;
    /** 0 to 65535; 0 for any free port. */
    readonly port: number;
  };
  readonly target: { readonly host: string; readonly port: number };
  /** The number of connections after which it completes, at least 1; default no limit. */
  readonly count?: number;
  /** When it emits, every connection is broken and emitted as closed, and the tap completes. */
  readonly until?: Observable<unknown>;
  /** Concurrent connections. Further ones are reset. Default 1,024. */
  readonly maxConnections?: number;
  /** Called with the port when it listens. */
  readonly onListening?: (port: number) => void;
  /**
   * The ports below 1024 to try for an initiator with such a port. Default 512 to 1023 without
   * those of other services.
   */
  readonly sourcePorts?: () => Iterable<number>;
}

/** Only a privileged user may bind a port below this one. */
const FIRST_UNRESERVED_PORT = 1024;

/**
 * A TCP relay that emits what passes through it. Bytes, back-pressure, ends and resets pass on
 * unchanged.
 *
 *     connection  --(------)--      each incoming connection opens one to the target
 *     events      --o-b-b-ec-       o: opened, b: bytes, e: ended, c: closed
 *
 * Cold: subscribing listens, unsubscribing breaks all connections. Only an initiator with a source
 * port below 1024 gets such a port to the target, so the target's port check keeps its meaning.
 * A connection that cannot be passed on is reset, and the reason of
 * `closed` says why (`CONNECT_FAILED`, `NO_RESERVED_PORT`). Errors with `CONNECT_FAILED` when it
 * cannot listen. Source: PROTOCOL.md, "Drivers".
 */
export function tapTcp(options: TapTcpOptions): Observable<TapEvent> {
  return new Observable((out) => new TcpTap(options, out).start());
}

class TcpTap {
  readonly #options: TapTcpOptions;
  readonly #out: Subscriber<TapEvent>;
  readonly #open = new Map<number, () => void>();
  readonly #server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    this.#accept(socket);
  });
  #accepted = 0;
  #until: Subscription | undefined;

  constructor(options: TapTcpOptions, out: Subscriber<TapEvent>) {
    this.#options = options;
    this.#out = out;
  }

  /** Returns the function that ends it. */
  start(): () => void {
    const { listen, maxConnections = 1_024, onListening, until } = this.#options;
    const { host = '127.0.0.1', port } = listen;
    this.#server.maxConnections = maxConnections;
    this.#server.on('error', (cause) => {
      this.#out.error(listenFailed(`${host} port ${port}`, cause));
    });
    this.#server.listen({ host, port }, () => {
      const address = this.#server.address();
      onListening?.(typeof address === 'object' && address !== null ? address.port : port);
    });
    this.#until = until?.subscribe(() => {
      this.#stop();
    });
    return () => {
      this.#until?.unsubscribe();
      this.#server.close();
      for (const breakOff of this.#open.values()) breakOff();
    };
  }

  #stop(): void {
    for (const [connection, breakOff] of [...this.#open]) {
      breakOff();
      this.#closed(connection, 'stopped', undefined, 'The tap has ended and broke the connection.');
    }
    this.#out.complete();
  }

  #accept(socket: Socket): void {
    const { target, count = Infinity, sourcePorts = tcpSourcePorts } = this.#options;
    this.#accepted += 1;
    if (this.#accepted > count) {
      reset(socket);
      return;
    }
    if (this.#accepted === count) this.#server.close();
    const connection = this.#accepted;
    const { remoteAddress: address, remotePort: port } = socket;
    prepare(socket);
    const early = (error: Error): void => {
      connecting.unsubscribe();
      this.#closed(
        connection,
        'reset',
        'initiator',
        `The initiator broke the connection before it was passed on: ${error.message}.`,
      );
    };
    socket.on('error', early);
    this.#out.next({
      kind: 'opened',
      connection,
      at: now(),
      peer: { address, port },
      target: place(target),
    });
    const isReserved = port !== undefined && port < FIRST_UNRESERVED_PORT;
    const connecting = connectTcp({
      ...target,
      allowHalfOpen: true,
      sourcePorts: isReserved ? sourcePorts() : undefined,
    }).subscribe({
      next: (connected) => {
        socket.off('error', early);
        prepare(connected.socket);
        const breakOff = relaySockets({ socket }, connected, {
          onBytes: (sender, chunk) => {
            this.#out.next({ kind: 'bytes', connection, at: now(), sender, chunk });
          },
          onEnded: (sender) => {
            this.#out.next({ kind: 'ended', connection, at: now(), sender });
          },
          onClosed: (...end) => {
            this.#closed(connection, ...end);
          },
        });
        this.#open.set(connection, breakOff);
      },
      error: (error: unknown) => {
        reset(socket);
        this.#closed(connection, 'unreached', undefined, messageOf(error));
      },
    });
    if (connecting.closed) return;
    this.#open.set(connection, () => {
      connecting.unsubscribe();
      reset(socket);
    });
  }

  #closed(connection: number, how: TapClosing, by: Role | undefined, reason: string): void {
    this.#open.delete(connection);
    this.#out.next({ kind: 'closed', connection, at: now(), how, by, reason });
    const { count = Infinity } = this.#options;
    if (this.#accepted >= count && this.#open.size === 0) this.#out.complete();
  }
}

/** Sends packets at once, and notices a dead peer. */
function prepare(socket: Socket): void {
  keepAliveNow(socket.setNoDelay(true));
}

function place({ host, port }: TapTcpOptions['target']): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
