import { forkJoin, map, of, type Observable } from 'rxjs';
import { bsdtcp } from '../../drivers/bsdtcp.js';
import { printable } from '../../wire/text.js';
import { listenTo, type Heard } from './probe-tcp.js';
import { speaksAmandaAt } from './speaks-amanda.js';
import { probeTls, type TlsProbe } from './probe-tls.js';

/** What an open TCP port speaks. */
export type Speech =
  /** Another service; `name` has an article. */
  | { readonly kind: 'service'; readonly name: string; readonly said: string }
  /** TLS that is not HTTPS; the subject of its certificate. */
  | { readonly kind: 'tls'; readonly subject: string | undefined }
  /** Amanda's frames without TLS. */
  | { readonly kind: 'bsdtcp' }
  | { readonly kind: 'unknown'; readonly said: string }
  /** It ends the connection before it hears anything. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'silent' };

/** How long the peer is listened to. */
const WITHIN = 1_500;

/** The services that greet first or answer HTTP, by how they begin. */
const services: readonly (readonly [begin: RegExp, name: string])[] = [
  [/^SSH-/, 'an SSH server'],
  [/^HTTP\//, 'an HTTP server'],
  [/^<(!DOCTYPE|html)/i, 'an HTTP server'],
  [/^220[ -].*\b(E?SMTP|mail)\b/i, 'an SMTP server'],
  [/^220[ -]/, 'an SMTP or FTP server'],
  [/^\+OK/, 'a POP3 server'],
  [/^\* (OK|PREAUTH)/, 'an IMAP server'],
  [/^RFB \d/, 'a VNC server'],
  [/^@RSYNCD/, 'an rsync server'],
];

/**
 * Finds out what a TCP port speaks, on connections side by side. One only listens, the others send
 * HTTP, TLS, and Amanda's frames if the driver speaks TLS.
 */
export function identify(address: string, port: number, auth: string): Observable<Speech> {
  return forkJoin({
    silent: listenTo(address, port, '', WITHIN),
    http: listenTo(address, port, 'GET / HTTP/1.0\r\n\r\n', WITHIN),
    tls: probeTls(address, port, WITHIN),
    // Any packet in answer, such as a refusal of the source port, is Amanda's.
    isBsdtcp:
      auth === 'bsdtcp'
        ? of(false)
        : speaksAmandaAt(bsdtcp({ host: address, port, reservedPorts: false })),
  }).pipe(map(judge));
}

interface Probes {
  readonly silent: Heard;
  readonly http: Heard;
  readonly tls: TlsProbe;
  readonly isBsdtcp: boolean;
}

function judge({ silent, http, tls, isBsdtcp }: Probes): Speech {
  const heard = [silent, http].map(({ bytes }) => Buffer.from(bytes).toString('latin1'));
  const said = heard.find((text) => text !== '');
  for (const text of heard) {
    const known = services.find(([begin]) => begin.test(text));
    if (known !== undefined) return { kind: 'service', name: known[1], said: shown(text) };
  }
  if (tls.kind === 'tls')
    return tls.isHttp
      ? { kind: 'service', name: 'an HTTPS server', said: tls.subject ?? '' }
      : { kind: 'tls', subject: tls.subject };
  if (isBsdtcp) return { kind: 'bsdtcp' };
  if (said !== undefined) return { kind: 'unknown', said: shown(said) };
  if (silent.end === 'closed') return { kind: 'closed' };
  if (silent.end !== undefined) return { kind: 'reset' };
  return { kind: 'silent' };
}

function shown(text: string): string {
  return printable(text.split(/[\r\n]/, 1)[0] ?? '', 100);
}
