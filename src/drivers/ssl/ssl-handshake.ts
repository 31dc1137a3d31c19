import { constants } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls';
import { Observable, catchError, defer, finalize, switchMap, tap, throwError } from 'rxjs';
import {
  checkCertificate,
  type CertificateRules,
  type PresentedCertificate,
} from '../../access/certificates.js';
import type { OwnCertificates } from '../../access/certificate-files.js';
import type { Peer } from '../../transport/channel.js';
import { keepAliveNow } from '../../transport/keep-alive.js';
import type { SocketReader } from '../../transport/socket-reader.js';
import { AmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';
import {
  closedAfterHandshake,
  isTlsAlert,
  reasonOf,
  tlsFailure,
  type TlsContext,
} from './ssl-errors.js';

/** The TLS settings of either side. */
export interface HandshakeOptions extends CertificateRules {
  /**
   * OpenSSL's cipher list for TLS 1.2, suites of 1.3 by name (`TLS_…`). Default: those with forward
   * secrecy and AEAD. The security level is 2 (no RSA keys under 2048 bits, no SHA-1 signatures)
   * unless the list sets another (`@SECLEVEL=`), as in Debian's Amanda.
   */
  readonly sslCipherList?: string;
}

/** An established session with a peer whose certificate has passed every check. */
export interface SecuredSocket {
  readonly socket: TLSSocket;
  /** Absent on a target: Node has no such reader for an accepted socket. */
  readonly reader?: SocketReader;
  /** Its host is the one asked for; on a target the certificate's common name. */
  readonly peer: Peer;
}

/**
 * Makes an accepted socket a TLS session, and checks the peer's certificate before it reads a byte.
 *
 * Emits once and completes. Errors with `TLS_FAILED`, `CERTIFICATE_…`, `ACCESS_DENIED` or
 * `FILE_FAILED` and destroys the socket; so does unsubscribing before it has emitted.
 */
export function acceptSession(
  raw: Socket,
  server: Server,
  own: OwnCertificates,
  options: HandshakeOptions,
): Observable<SecuredSocket> {
  return handshake(raw, accepted(raw, server), undefined, own, options);
}

/**
 * Waits for a session, and checks the peer's certificate. `host` is the one that an initiator asked
 * for; undefined on a target.
 */
export function handshake(
  raw: Socket,
  session: Observable<TLSSocket>,
  host: string | undefined,
  own: OwnCertificates,
  options: HandshakeOptions,
): Observable<SecuredSocket> {
  return defer(() => {
    const { remoteAddress: address = '', remotePort: port } = raw;
    const context: TlsContext = {
      peer: host ?? describePlace(raw),
      side: host === undefined ? 'target' : 'initiator',
      ...own,
    };
    let kept = false;
    // Errors of a socket that is being destroyed do not matter.
    keepAliveNow(raw)
      .setNoDelay(true)
      .on('error', () => undefined);
    return session.pipe(
      switchMap((socket) =>
        judged(socket, { address, port, ...(host === undefined ? {} : { host }) }, own, options),
      ),
      catchError((error: unknown) => throwError(() => tlsFailure(error, context))),
      tap(() => {
        kept = true;
      }),
      finalize(() => {
        if (!kept) raw.destroy();
      }),
    );
  });
}

function describePlace({ remoteAddress = '', remotePort }: Socket): string {
  return `${remoteAddress} port ${remotePort}`;
}

/**
 * What verifies the sessions of accepted sockets. It never listens: {@link accepted} hands it each
 * socket.
 */
export function sessionServer(own: OwnCertificates, options: HandshakeOptions): Server {
  return checked(own, options, (settings) =>
    createServer({ ...settings, requestCert: true, rejectUnauthorized: true }),
  );
}

/**
 * A session with the settings of a shared server, which emits on a stand-in: so each socket has
 * events of its own.
 */
function accepted(raw: Socket, shared: Server): Observable<TLSSocket> {
  return new Observable((out) => {
    if (raw.destroyed) {
      out.error(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
      return;
    }
    const server = Object.create(shared) as Server;
    const events = new EventEmitter();
    events.on('tlsClientError', (error: Error, session: TLSSocket) => {
      // The session knows why a certificate is refused; the error only says that the socket was
      // destroyed.
      const code = session.authorizationError as unknown;
      out.error(
        typeof code === 'string'
          ? Object.assign(new Error(code.toLowerCase().replaceAll('_', ' ')), { code })
          : error,
      );
    });
    events.once('secureConnection', (session: TLSSocket) => {
      out.next(destroyedByErrors(session));
      out.complete();
    });
    server.emit = events.emit.bind(events);
    for (const accept of shared.listeners('connection')) accept.call(server, raw);
  });
}

/**
 * Ends an established session on an alert: Node only emits an error, and the peer may stay
 * connected.
 */
export function destroyedByErrors(session: TLSSocket): TLSSocket {
  return session.on('error', (error: Error) => session.destroy(error));
}

async function judged(
  session: TLSSocket,
  from: Omit<PresentedCertificate, 'certificate'>,
  own: OwnCertificates,
  rules: CertificateRules,
): Promise<SecuredSocket> {
  const certificate = session.getPeerX509Certificate();
  if (certificate === undefined)
    throw new AmandaError('CERTIFICATE_MISSING', 'The peer showed no certificate.');
  const { address, port } = from;
  const commonName = await checkCertificate({ ...from, certificate }, own, rules);
  // An alert may have arrived during the name lookup, without a listener.
  if (session.destroyed)
    throw session.errored !== null && isTlsAlert(session.errored)
      ? session.errored
      : closedAfterHandshake(from.host ?? address, own.certFile);
  const tls = {
    protocol: session.getProtocol() ?? '',
    cipher: session.getCipher().standardName,
    fingerprint256: certificate.fingerprint256,
    commonName,
  };
  return {
    socket: session,
    peer: {
      driver: 'ssl',
      host: from.host ?? commonName,
      address,
      ...(port === undefined ? {} : { port }),
      tls,
    },
  };
}

/**
 * The context of an initiator's sessions.
 *
 * Errors with `BAD_ARGUMENT` for the cipher list and with `CERTIFICATE_UNUSABLE` for a certificate
 * that OpenSSL refuses; so does {@link sessionServer}.
 */
export function sessionContext(own: OwnCertificates, options: HandshakeOptions): SecureContext {
  return checked(own, options, createSecureContext);
}

function checked<T>(
  { cert, key, ca, certFile }: OwnCertificates,
  { sslCipherList = '' }: HandshakeOptions,
  make: (settings: SecureContextOptions) => T,
): T {
  try {
    return make({ cert, key, ca, ...ciphersOf(sslCipherList), secureOptions: SECURE_OPTIONS });
  } catch (cause) {
    const { code } = cause as Error & { readonly code?: string };
    if (code?.includes('CIPHER') === true)
      throw new AmandaError(
        'BAD_ARGUMENT',
        `The cipher list "${printable(sslCipherList)}" names no cipher that this OpenSSL has.`,
        { cause },
      );
    throw new AmandaError(
      'CERTIFICATE_UNUSABLE',
      `The certificate ${certFile} cannot be used: ${reasonOf(cause)}. Keys under 2048 bits need DEFAULT@SECLEVEL=0 as the cipher list, or better a new key.`,
      { cause },
    );
  }
}

/**
 * A session resumed by a ticket would skip the check of the certificate, and a renegotiation costs
 * a handshake that no limit counts.
 */
const SECURE_OPTIONS = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION;

/**
 * OpenSSL's list is for TLS 1.2 alone; Node reads both versions and the security level from one
 * list.
 */
function ciphersOf(list: string): Pick<SecureContextOptions, 'ciphers' | 'minVersion'> {
  const words = list.split(':');
  const suites = words.filter((word) => word.startsWith('TLS_'));
  const all =
    list === ''
      ? `${SUITES_OF_1_3}:${CIPHERS_OF_1_2}`
      : suites.length > 0
        ? list
        : `${SUITES_OF_1_3}:${list}`;
  if (all.includes('@SECLEVEL=')) return { ciphers: all, minVersion: 'TLSv1.2' };
  // A level must follow a cipher of TLS 1.2, even if only 1.3 is wanted.
  if (suites.length === words.length)
    return { ciphers: `${all}:HIGH:${SECURITY_LEVEL}`, minVersion: 'TLSv1.3' };
  return { ciphers: `${all}:${SECURITY_LEVEL}`, minVersion: 'TLSv1.2' };
}

const SECURITY_LEVEL = '@SECLEVEL=2';

/** Those with forward secrecy and AEAD. */
const CIPHERS_OF_1_2 = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
  'DHE-RSA-CHACHA20-POLY1305',
  'DHE-RSA-AES128-GCM-SHA256',
].join(':');

const SUITES_OF_1_3 = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';
