import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  DEFAULT_CIPHERS,
  connect,
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
import { AmandaError } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';
import { hungUp, isTlsAlert, noTls, reasonOf, tlsFailure, type TlsContext } from './ssl-errors.js';

/** What both sides bring to a handshake. */
export interface HandshakeOptions extends CertificateRules {
  /**
   * OpenSSL's cipher list for TLS 1.2, and suites for 1.3 by their names (`TLS_…`); default Node's. Unless it says otherwise (`@SECLEVEL=`),
   * OpenSSL's security level is 2, as Debian's Amanda has it: RSA keys under 2048 bits and signatures with SHA-1 are refused.
   */
  readonly sslCipherList?: string;
}

/** An established session with a peer whose certificate has passed every check. */
export interface SecuredSocket {
  readonly socket: TLSSocket;
  /** Its host is the one that was asked for, on a target the certificate's common name. */
  readonly peer: Peer;
}

/**
 * Makes a connected socket a TLS session, and judges the peer's certificate before a byte of the session is read.
 *
 * Emits once and completes; errors with `TLS_FAILED`, `CERTIFICATE_…`, `ACCESS_DENIED` or `FILE_FAILED`, and lets go of the socket then.
 * Unsubscribing before it has emitted does too. `host` is the one that an initiator has asked for; a target has none.
 */
export function handshake(
  raw: Socket,
  host: string | undefined,
  own: OwnCertificates,
  options: HandshakeOptions,
): Observable<SecuredSocket> {
  return defer(() => {
    const { remoteAddress: address = '', remotePort: port } = raw;
    const context: TlsContext = {
      peer: host ?? `${address} port ${port}`,
      side: host === undefined ? 'target' : 'initiator',
      ...own,
    };
    let kept = false;
    // Whatever happens to a socket that is being let go of is no news.
    raw.on('error', () => undefined);
    return (
      host === undefined ? accepted(raw, own, options, context.peer) : connected(raw, own, options)
    ).pipe(
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

function connected(
  socket: Socket,
  own: OwnCertificates,
  options: HandshakeOptions,
): Observable<TLSSocket> {
  return new Observable((out) => {
    const session = connect({
      ...tlsOptions(own, options),
      socket,
      rejectUnauthorized: true,
      // Amanda's names are not those of the web: the common name counts, and is judged below.
      checkServerIdentity: () => undefined,
    });
    session.on('error', (error) => out.error(error));
    session.once('secureConnect', () => {
      out.next(destroyedByErrors(session));
      out.complete();
    });
  });
}

function accepted(
  raw: Socket,
  own: OwnCertificates,
  options: HandshakeOptions,
  peer: string,
): Observable<TLSSocket> {
  return firstBytes(raw).pipe(
    switchMap((bytes) => {
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
    // All of it may have happened before.
    look();
  });
}

/** A server that listens to nothing and is handed its one connection is the way to a verified session over any socket. */
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
      // Of a certificate that is refused the session tells; the error says no more than that it was destroyed.
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

/** Node tells an alert in an established session, but leaves the session as it is; and a peer that has sent one need not hang up. */
function destroyedByErrors(session: TLSSocket): TLSSocket {
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
  // An alert may have come while names were being looked up, and with nobody there to hear it.
  if (session.destroyed)
    throw session.errored !== null && isTlsAlert(session.errored)
      ? session.errored
      : hungUp(from.host ?? address, own.certFile);
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
 * The settings of a session, seen to be ones that OpenSSL takes.
 *
 * Errors with `BAD_ARGUMENT` for the cipher list and with `CERTIFICATE_UNUSABLE` for a certificate that OpenSSL refuses to use.
 */
export function tlsOptions(
  { cert, key, ca, certFile }: OwnCertificates,
  { sslCipherList = '' }: HandshakeOptions,
): SecureContextOptions {
  // Without a ticket nobody comes back without being judged again.
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

/** OpenSSL's cipher list is about TLS 1.2 alone, and 1.3 stays as it is; Node takes both from one list. The security level stands in it, too. */
function ciphersOf(list: string): Pick<SecureContextOptions, 'ciphers' | 'minVersion'> {
  const words = list.split(':');
  const suites = words.filter((word) => word.startsWith('TLS_'));
  const all = list === '' ? DEFAULT_CIPHERS : suites.length > 0 ? list : `${SUITES_OF_1_3}:${list}`;
  if (all.includes('@SECLEVEL=')) return { ciphers: all, minVersion: 'TLSv1.2' };
  // A level needs a cipher of 1.2 to stand behind, also where that version is not wanted.
  if (suites.length === words.length)
    return { ciphers: `${all}:HIGH:${SECURITY_LEVEL}`, minVersion: 'TLSv1.3' };
  return { ciphers: `${all}:${SECURITY_LEVEL}`, minVersion: 'TLSv1.2' };
}

const SECURITY_LEVEL = '@SECLEVEL=2';

const SUITES_OF_1_3 = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';
