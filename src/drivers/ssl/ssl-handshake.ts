import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  DEFAULT_CIPHERS,
  createSecureContext,
  createServer,
  type SecureContextOptions,
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
import { KEEP_ALIVE } from '../../transport/keep-alive.js';
import type { SocketReader } from '../../transport/socket-reader.js';
import { AmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';
import {
  closedAfterHandshake,
  isTlsAlert,
  noTls,
  reasonOf,
  tlsFailure,
  type TlsContext,
} from './ssl-errors.js';

/** The TLS settings of either side. */
export interface HandshakeOptions extends CertificateRules {
  /**
   * OpenSSL's cipher list for TLS 1.2, and suites for 1.3 by name (`TLS_…`); default Node's. The
   * security level is 2 unless the list sets another (`@SECLEVEL=`), as in Debian's Amanda: it
   * refuses RSA keys under 2048 bits and SHA-1 signatures.
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
  own: OwnCertificates,
  options: HandshakeOptions,
): Observable<SecuredSocket> {
  return handshake(raw, accepted(raw, own, options), undefined, own, options);
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
    raw
      .setKeepAlive(true, KEEP_ALIVE)
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

function accepted(
  raw: Socket,
  own: OwnCertificates,
  options: HandshakeOptions,
): Observable<TLSSocket> {
  return firstBytes(raw).pipe(
    switchMap((bytes) => {
      const peer = describePlace(raw);
      if (bytes === undefined)
        return throwError(
          () => new AmandaError('TLS_FAILED', `${peer} hung up before it had said a word.`),
        );
      if (bytes[0] !== HANDSHAKE_RECORD) return throwError(() => noTls(bytes, peer));
      raw.unshift(bytes);
      return acceptedTls(raw, own, options);
    }),
  );
}

/** The type of the record that every TLS session begins with. */
const HANDSHAKE_RECORD = 0x16;

/** The first bytes that arrive, or undefined when the peer ends without any. */
function firstBytes(raw: Socket): Observable<Uint8Array | undefined> {
  return new Observable((out) => {
    const look = (): void => {
      const bytes = raw.read() as Buffer | null;
      if (bytes === null && !raw.readableEnded && !raw.destroyed) return;
      out.next(bytes ?? undefined);
      out.complete();
    };
    out.add(() => {
      raw.off('readable', look).off('end', look).off('close', look);
    });
    raw.on('readable', look).on('end', look).on('close', look);
    // The events may have happened already.
    look();
  });
}

/**
 * A server that does not listen and gets its one connection by hand, to verify a session over any
 * socket.
 */
function acceptedTls(
  raw: Socket,
  own: OwnCertificates,
  options: HandshakeOptions,
): Observable<TLSSocket> {
  return new Observable((out) => {
    const server = createServer({
      ...tlsOptions(own, options),
      requestCert: true,
      rejectUnauthorized: true,
    });
    server.on('tlsClientError', (error, session) => {
      // The session knows why a certificate is refused; the error only says that the socket was
      // destroyed.
      const code = session.authorizationError as unknown;
      out.error(
        typeof code === 'string'
          ? Object.assign(new Error(code.toLowerCase().replaceAll('_', ' ')), { code })
          : error,
      );
    });
    server.once('secureConnection', (session) => {
      out.next(destroyedByErrors(session));
      out.complete();
    });
    server.emit('connection', raw);
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
 * The settings of a session, checked with OpenSSL.
 *
 * Errors with `BAD_ARGUMENT` for the cipher list and with `CERTIFICATE_UNUSABLE` for a certificate
 * that OpenSSL refuses.
 */
export function tlsOptions(
  { cert, key, ca, certFile }: OwnCertificates,
  { sslCipherList = '' }: HandshakeOptions,
): SecureContextOptions {
  // No tickets: a resumed session would skip the check of the certificate.
  const options = {
    cert,
    key,
    ca,
    ...ciphersOf(sslCipherList),
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const;
  try {
    createSecureContext(options);
  } catch (cause) {
    const { code } = cause as Error & { readonly code?: string };
    if (code?.includes('CIPHER') === true)
      throw new AmandaError(
        'BAD_ARGUMENT',
        `The cipher list "${printable(sslCipherList)}" names no cipher that there is.`,
        { cause },
      );
    throw new AmandaError(
      'CERTIFICATE_UNUSABLE',
      `The certificate ${certFile} cannot be used: ${reasonOf(cause)}. Keys under 2048 bits need DEFAULT@SECLEVEL=0 as the cipher list, or better a new key.`,
      { cause },
    );
  }
  return options;
}

/**
 * OpenSSL's list is for TLS 1.2 alone; Node reads both versions and the security level from one
 * list.
 */
function ciphersOf(list: string): Pick<SecureContextOptions, 'ciphers' | 'minVersion'> {
  const words = list.split(':');
  const suites = words.filter((word) => word.startsWith('TLS_'));
  const all = list === '' ? DEFAULT_CIPHERS : suites.length > 0 ? list : `${SUITES_OF_1_3}:${list}`;
  if (all.includes('@SECLEVEL=')) return { ciphers: all, minVersion: 'TLSv1.2' };
  // A level must follow a cipher of TLS 1.2, even if only 1.3 is wanted.
  if (suites.length === words.length)
    return { ciphers: `${all}:HIGH:${SECURITY_LEVEL}`, minVersion: 'TLSv1.3' };
  return { ciphers: `${all}:${SECURITY_LEVEL}`, minVersion: 'TLSv1.2' };
}

const SECURITY_LEVEL = '@SECLEVEL=2';

const SUITES_OF_1_3 = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';
