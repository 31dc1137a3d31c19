import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Observable } from 'rxjs';

/** What answers to a TLS client without a certificate. */
export type TlsProbe =
  | { readonly kind: 'no-tls' }
  | { readonly kind: 'tls'; readonly subject: string | undefined; readonly isHttp: boolean };

/** Asks for TLS, and inside of it for an HTTP page, because that tells HTTPS from Amanda. */
export function probeTls(address: string, port: number, within: number): Observable<TlsProbe> {
  return new Observable((out) => {
    let subject: string | undefined;
    let isTls = false;
    const end = (isHttp = false): void => {
      out.next(isTls ? { kind: 'tls', subject, isHttp } : { kind: 'no-tls' });
      out.complete();
    };
    const socket = connectTls({
      host: address,
      port,
      // Nothing secret is sent, and the certificate is only shown.
      rejectUnauthorized: false,
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const limit = setTimeout(end, within);
    socket.once('secureConnect', () => {
      isTls = true;
      subject = subjectOf(socket);
      socket.write('GET / HTTP/1.0\r\n\r\n');
    });
    socket.on('data', (chunk: Buffer) => end(chunk.toString('latin1').startsWith('HTTP/')));
    socket.once('end', () => end());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // An alert is TLS too.
      isTls ||= /_ALERT_/.test(error.code ?? '');
      end();
    });
    return () => {
      clearTimeout(limit);
      socket.destroy();
    };
  });
}

function subjectOf(socket: TLSSocket): string | undefined {
  return socket.getPeerX509Certificate()?.subject?.replaceAll('\n', ', ');
}
