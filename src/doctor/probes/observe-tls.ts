import type { X509Certificate } from 'node:crypto';
import { connect as connectTls } from 'node:tls';
import { Observable } from 'rxjs';

/** A TLS session that was looked at without any check, or why there is none. */
export type TlsObservation =
  | {
      readonly kind: 'session';
      readonly address: string;
      readonly port: number;
      /** Absent when the peer showed none. */
      readonly certificate: X509Certificate | undefined;
      readonly protocol: string;
      readonly cipher: string;
    }
  | { readonly kind: 'none'; readonly code: string; readonly message: string };

/** This side's part of the handshake. */
export interface OwnIdentity {
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes a TLS session and ends it. Accepts every certificate, weak key and old version, because it
 * sends nothing and the checks judge what it saw.
 */
export function observeTls(
  address: string,
  port: number,
  own: OwnIdentity | undefined,
  within: number,
): Observable<TlsObservation> {
  return new Observable((out) => {
    const end = (observation: TlsObservation): void => {
      out.next(observation);
      out.complete();
    };
    const none = (code: string, message: string): void => end({ kind: 'none', code, message });
    const socket = connectTls({
      host: address,
      port,
      ...own,
      rejectUnauthorized: false,
      ciphers: 'ALL:@SECLEVEL=0',
      minVersion: 'TLSv1',
    });
    const limit = setTimeout(() => none('SILENT', 'no answer to the TLS handshake'), within);
    socket.once('secureConnect', () => {
      end({
        kind: 'session',
        address,
        port,
        certificate: socket.getPeerX509Certificate(),
        protocol: socket.getProtocol() ?? '',
        cipher: socket.getCipher().standardName,
      });
    });
    socket.once('end', () => none('CLOSED', 'the peer ended the connection'));
    socket.on('error', ({ code = '', message }: NodeJS.ErrnoException) => none(code, message));
    return () => {
      clearTimeout(limit);
      socket.destroy();
    };
  });
}
