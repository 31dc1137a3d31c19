import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import {
  Observable,
  catchError,
  defer,
  finalize,
  map,
  mergeMap,
  of,
  switchMap,
  tap,
  throwError,
  timeout,
  type OperatorFunction,
} from 'rxjs';
import { CertificateCache } from '../../access/certificate-cache.js';
import type { CertificateFiles } from '../../access/certificate-files.js';
import type { Connection } from '../../connection/connection.js';
import type { ConnectionOptions } from '../../connection/options.js';
import { TcpmConnection } from '../../connection/tcpm-connection.js';
import { defaultTiming } from '../../exchange/timing.js';
import { checkOptions } from '../../wire/arguments.js';
import { AmandaError, isAmandaError } from '../../wire/errors.js';
import { EvictionPolicy, evictionThreshold } from '../eviction-policy.js';
import type { Driver, Listener } from '../driver.js';
import { refusedConnection, sslChannel } from './ssl-channel.js';
import {
  acceptSession,
  sessionContext,
  sessionServer,
  type HandshakeOptions,
} from './ssl-handshake.js';
import { clientHello } from './client-hello.js';
import { DelayedHandshakes } from './delayed-handshakes.js';
import { openSession } from './open-session.js';
import { ownUserName } from '../own-user.js';
import { overChannel } from '../over-channel.js';
import { checkPort } from '../../transport/address.js';
import {
  DEFAULT_MAX_CONNECTIONS,
  listenTcp,
  type ListenTcpOptions,
} from '../../transport/tcp-listen.js';

/**
 * The usual port of an amandad with auth ssl; Amanda's default is 10080. Source: PROTOCOL.md,
 * "Drivers".
 */
export const SSL_PORT = 10_081;

/**
 * Certificates and the rules for the peer's: the same on both sides, named as in Amanda's
 * configuration.
 */
export interface CertificateOptions extends CertificateFiles, HandshakeOptions {}

/** Options of {@link ssl}. */
export interface SslOptions extends CertificateOptions {
  /** Name or address of the target. */
  readonly host: string;
  /** 1 … 65535, default 10081. */
  readonly port?: number;
  /** The name in `SECURITY USER`; default the user this process runs as. */
  readonly user?: string;
}

/**
 * TLS 1.2 or later over TCP; both sides show a certificate that the same CA has signed directly.
 *
 * The target's common name must lead to its address. Its certificate must match the fingerprint on
 * file, if there is one. The file is `remote/NAME/fingerprint`; NAME is the host asked for, its
 * canonical name or the common name.
 *
 * Errors with `CONNECT_FAILED`, `TLS_FAILED`, the `CERTIFICATE_…` codes, `KEY_UNSAFE` and
 * `FILE_FAILED`. A refusal of our certificate may show only at the first answer. Source:
 * PROTOCOL.md, "Drivers".
 *
 * @example
 * ```ts
 * import { connect, noop, ssl } from 'rx-amanda';
 *
 * connect(ssl({ host: 'db1.example.com', sslDir: '/etc/amanda/ssl' }))
 *   .pipe(noop())
 *   .subscribe(console.log);
 * ```
 */
export function ssl(options: SslOptions): Driver {
  checkOptions('ssl', options, { host: 'name', user: 'name?' });
  const { host, port = SSL_PORT, user = ownUserName(), ...certificates } = options;
  checkPort(port);
  const cache = new CertificateCache(certificates, (own) => sessionContext(own, certificates));
  return {
    name: 'ssl',
    user,
    host,
    port,
    open: (connection) =>
      defer(() => of(cache.read())).pipe(
        switchMap(({ own, made: context }) =>
          openSession(host, port, own, context, certificates).pipe(
            switchMap((secured) =>
              overChannel(
                sslChannel(secured, { side: 'initiator', ...own }),
                { side: 'initiator', user },
                connection,
              ),
            ),
          ),
        ),
      ),
  };
}

/** Options of {@link listenSsl}. */
export interface ListenSslOptions extends AcceptSslOptions, ListenTcpOptions {
  /** 0 … 65535, 0 for any free one; default 10081. */
  readonly port?: number;
}

/**
 * Accepts initiators over TLS. Errors with `CONNECT_FAILED` if listening fails, and with the faults
 * of this side's certificates. They are read again when a file changes, so renewed ones count.
 *
 * The connection of a refused peer is closed, and emitted as a Connection that has ended with the
 * reason; `serve` reports it as `disconnected`. Source: PROTOCOL.md, "Drivers".
 */
export function listenSsl(settings: ListenSslOptions = {}): Listener {
  checkOptions('listenSsl', settings, { host: 'name?', onListening: 'function?' });
  const {
    port = SSL_PORT,
    host,
    maxConnections = DEFAULT_MAX_CONNECTIONS,
    onListening,
    ...options
  } = settings;
  const sockets = listenTcp(port, {
    maxConnections,
    ...(host === undefined ? {} : { host }),
    ...(onListening === undefined ? {} : { onListening }),
  });
  const cache = targetCache(options);
  return {
    name: 'ssl',
    maxConnections,
    accept: (connection) =>
      defer(() => of(cache.read())).pipe(
        switchMap(() => sockets),
        acceptAllSsl({ ...options, maxConnections }, connection, cache),
      ),
  };
}

/** {@link acceptSsl} for each socket. When too many have no session yet, an old one is evicted. */
export function acceptAllSsl(
  { maxConnections, ...options }: AcceptSslOptions & { readonly maxConnections: number },
  connection: ConnectionOptions,
  cache = targetCache(options),
): OperatorFunction<Socket, Connection> {
  const shared = { cache, delayed: new DelayedHandshakes() };
  const handshaking = new EvictionPolicy<Socket>();
  return mergeMap((socket) => {
    if (handshaking.size >= evictionThreshold(maxConnections)) {
      const evicted = handshaking.pick();
      if (evicted !== undefined) handshaking.delete(evicted);
      evicted?.destroy();
    }
    handshaking.add(socket, socket.remoteAddress);
    return acceptSsl(socket, options, connection, shared).pipe(
      finalize(() => handshaking.delete(socket)),
    );
  });
}

/** Options of {@link listenSsl} and {@link listenSslStdio}. */
export interface AcceptSslOptions extends CertificateOptions {
  /** Milliseconds that a peer has for its handshake and the checks; default 30,000. */
  readonly handshakeTimeout?: number;
}

/**
 * The connection of an initiator over an accepted socket, or an ended one with the reason of the
 * refusal. Never errors.
 */
export function acceptSsl(
  raw: Socket,
  { handshakeTimeout = defaultTiming.idleTimeout, ...certificates }: AcceptSslOptions,
  options: ConnectionOptions,
  { cache, delayed }: SharedByConnections = sharedByConnections(certificates),
): Observable<Connection> {
  const { remoteAddress: address = '', remotePort: port } = raw;
  return clientHello(raw).pipe(
    switchMap(() => delayed.turn(address)),
    map(() => cache.read()),
    switchMap(({ own, made: server }) =>
      acceptSession(raw, server, own, certificates).pipe(
        tap({
          error: () => {
            delayed.failed(address);
          },
        }),
        map((secured) => sslChannel(secured, { side: 'target', ...own })),
      ),
    ),
    timeout({
      first: handshakeTimeout,
      with: () =>
        throwError(
          () =>
            new AmandaError(
              'TLS_FAILED',
              `No TLS session with ${address} within ${handshakeTimeout} ms.`,
            ),
        ),
    }),
    map((channel) => new TcpmConnection(channel, { side: 'target', namesUser: true }, options)),
    catchError((error: unknown) => {
      raw.destroy();
      const reason = isAmandaError(error)
        ? error
        : new AmandaError('TLS_FAILED', String(error), { cause: error });
      return of(
        refusedConnection(
          { driver: 'ssl', address, ...(port === undefined ? {} : { port }) },
          reason,
        ),
      );
    }),
  );
}

/** What the connections of one listener share. */
interface SharedByConnections {
  readonly cache: CertificateCache<Server>;
  readonly delayed: DelayedHandshakes;
}

function sharedByConnections(options: CertificateOptions): SharedByConnections {
  return { cache: targetCache(options), delayed: new DelayedHandshakes() };
}

/** What all connections of a target share, read and made again when a file changes. */
export function targetCache(options: CertificateOptions): CertificateCache<Server> {
  return new CertificateCache(options, (own) => sessionServer(own, options));
}
