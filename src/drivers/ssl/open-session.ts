import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { Observable, map, switchMap } from 'rxjs';
import type { OwnCertificates } from '../../access/certificate-files.js';
import { connectBy } from '../../transport/tcp-connect.js';
import {
  destroyedByErrors,
  handshake,
  type HandshakeOptions,
  type SecuredSocket,
} from './ssl-handshake.js';

/**
 * Connects to a target and begins a session with it.
 *
 * Emits once and completes. Errors with `CONNECT_FAILED`, `TLS_FAILED`, `CERTIFICATE_…`,
 * `ACCESS_DENIED` or `FILE_FAILED`.
 */
export function openSession(
  host: string,
  port: number,
  own: OwnCertificates,
  secureContext: SecureContext,
  options: HandshakeOptions,
): Observable<SecuredSocket> {
  const session = {
    secureContext,
    rejectUnauthorized: true,
    // Amanda goes by the common name, not by the web's rules; it is checked below.
    checkServerIdentity: () => undefined,
  };
  return connectBy((to) => connect({ ...to, ...session }), { host, port }).pipe(
    switchMap(({ socket, reader }) =>
      handshake(socket, secured(socket), host, own, options).pipe(
        map((established) => ({ ...established, reader })),
      ),
    ),
  );
}

/** The session of a socket that connects, when it is established. */
function secured(session: TLSSocket): Observable<TLSSocket> {
  return new Observable((out) => {
    session.on('error', (error) => out.error(error));
    session.once('secureConnect', () => {
      out.next(destroyedByErrors(session));
      out.complete();
    });
  });
}
