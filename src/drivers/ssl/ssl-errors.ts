import { AmandaError, isAmandaError, type AmandaErrorCode } from '../../wire/errors.js';
import { printable } from '../../wire/text.js';

/** The circumstances of a TLS failure. */
export interface TlsContext {
  /** The peer's name, for the message. */
  readonly peer: string;
  readonly side: 'initiator' | 'target';
  readonly caFile: string;
  readonly certFile: string;
}

/** Why a TLS session failed or ended: `TLS_FAILED` or one of the `CERTIFICATE_…` codes. */
export function tlsFailure(error: unknown, context: TlsContext): AmandaError {
  if (isAmandaError(error))
    return new AmandaError(error.code, error.message, { cause: error.cause, peer: context.peer });
  const known = error instanceof Error ? error : new Error(String(error));
  const code = 'code' in known ? String(known.code) : '';
  const [ours, message] =
    kinds.find(({ test }) => test.test(code))?.tell(context, reasonOf(known)) ??
    other(context, reasonOf(known));
  return new AmandaError(ours, message, { cause: error, peer: context.peer });
}

/** Whether an error of an established session is an alert of the peer, not a broken connection. */
export function isTlsAlert(error: Error): boolean {
  return 'code' in error && String(error.code).startsWith('ERR_SSL_');
}

/** A peer that closes the connection after the handshake without sending anything. */
export function closedAfterHandshake(peer: string, certFile: string): AmandaError {
  return new AmandaError(
    'CONNECTION_LOST',
    `${peer} closed the connection after the TLS handshake, without a word. A target that refuses a certificate does that: see its log. Check the common name and CA of ${certFile}, and the fingerprint that the target has on file.`,
    { peer },
  );
}

/** What arrived instead of a TLS handshake. */
export function noTls(bytes: Uint8Array, peer: string): AmandaError {
  const text = printable(Buffer.from(bytes.subarray(0, 100)).toString('latin1'), 100);
  // The length of a frame is under 16 MiB, so its first byte is 0.
  const what =
    bytes[0] === 0
      ? 'It sent frames without TLS, as with auth bsdtcp: give that initiator auth ssl, or another port.'
      : `It began with "${text}", which is no TLS: an HTTP or SSH client, or a probe.`;
  return new AmandaError('TLS_FAILED', `${peer} does not speak TLS. ${what}`, { peer });
}

type Told = readonly [code: AmandaErrorCode, message: string];

interface Kind {
  /** Of Node's error code. */
  readonly test: RegExp;
  readonly tell: (context: TlsContext, reason: string) => Told;
}

/** Advice, by the side that was refused or not understood. */
const theirs = {
  initiator:
    'Is this the port of an amandad with auth ssl, not of one with auth bsdtcp, an SSH or an HTTP server?',
  target: '',
} as const;

const kinds: readonly Kind[] = [
  {
    test: /^ERR_SSL_(WRONG_VERSION_NUMBER|HTTP_REQUEST|HTTPS_PROXY_REQUEST|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE|BAD_RECORD_TYPE)$/,
    tell: ({ peer, side }) => [
      'TLS_FAILED',
      sentences(`${peer} does not speak TLS.`, theirs[side]),
    ],
  },
  {
    test: /^(ECONNRESET|EPIPE)$/,
    tell: ({ peer, side, certFile }) => [
      'TLS_FAILED',
      sentences(
        `${peer} closed the connection during the TLS handshake.`,
        theirs[side],
        side === 'target'
          ? `It may refuse the certificate ${certFile}; then it says why.`
          : `If it is, it may refuse the certificate ${certFile}: see its log.`,
      ),
    ],
  },
  {
    test: /PEER_DID_NOT_RETURN_A_CERTIFICATE/,
    tell: ({ peer, caFile }) => [
      'CERTIFICATE_MISSING',
      `${peer} showed no certificate; it needs one that the CA of ${caFile} has signed.`,
    ],
  },
  {
    test: /_ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_\w+|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)$/,
    tell: ({ peer, certFile }, reason) => [
      'CERTIFICATE_REFUSED',
      `${peer} refuses the certificate ${certFile} (${reason}). Has the CA that the peer trusts signed it? Is it still valid? Is its key long enough (RSA 2048 bits)?`,
    ],
  },
  {
    test: /UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|VERSION_TOO_LOW|NO_PROTOCOLS_AVAILABLE/,
    tell: ({ peer }) => [
      'TLS_FAILED',
      `${peer} and this side have no TLS version in common; 1.2 is the least.`,
    ],
  },
  {
    test: /NO_SHARED_CIPHER|HANDSHAKE_FAILURE|NO_CIPHERS_AVAILABLE|INSUFFICIENT_SECURITY/,
    tell: ({ peer }) => [
      'TLS_FAILED',
      `${peer} and this side could not agree on a cipher; does it have a certificate, and do the cipher lists (ssl-cipher-list) overlap?`,
    ],
  },
  {
    test: /^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/,
    tell: ({ peer, caFile }, reason) => [
      'CERTIFICATE_EXPIRED',
      `The certificate of ${peer}, or the CA's in ${caFile}, is not valid now (${reason}): renew it, unless a clock on one side is wrong.`,
    ],
  },
  {
    test: /^INVALID_PURPOSE$/,
    tell: ({ peer }) => [
      'CERTIFICATE_UNTRUSTED',
      `The certificate of ${peer} is not meant for this: with an extended key usage it needs both server and client authentication.`,
    ],
  },
  {
    // Node has no code for a refusal by OpenSSL's security level.
    test: /^UNSPECIFIED$/,
    tell: ({ peer }, reason) => [
      'CERTIFICATE_UNTRUSTED',
      `The certificate of ${peer} is refused (${reason}): does it, or its CA, have an RSA key under 2048 bits or a signature with SHA-1? Make a stronger one.`,
    ],
  },
  {
    test: /^(?!ERR_)\w*(CERT|CRL|SIGNATURE|SELF_SIGNED|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH)\w*$/,
    tell: ({ peer, caFile }, reason) => [
      'CERTIFICATE_UNTRUSTED',
      `The certificate of ${peer} does not stand up to the CA of ${caFile}: ${reason}. That CA itself has to sign it; do both sides have the same CA/crt.pem?`,
    ],
  },
];

function other({ peer }: TlsContext, reason: string): Told {
  return ['TLS_FAILED', `TLS with ${peer} failed: ${reason}.`];
}

/** OpenSSL's message without its source location. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  if ('reason' in error && typeof error.reason === 'string') return error.reason;
  const [, words] = /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]*)/.exec(error.message) ?? [];
  return printable(words ?? error.message.replace(/\.$/, ''));
}

function sentences(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}
