import { printable, printableError } from './text.js';

/**
 * Every way in which this library fails, as a stable code.
 *
 * A code is part of the public API and never changes its meaning, so `catchError` and `retry` can
 * rely on it. The sentence in `message` is for a person and may change.
 */
export type AmandaErrorCode =
  /** A frame header announced a negative length, or one over the limit. The connection is dead. */
  | 'FRAME_TOO_LARGE'
  /** The bytes ended inside a frame, a packet's text, or a file header. */
  | 'TRUNCATED'
  /** There was text instead of a frame header: a login shell's greeting, an SSH banner, HTTP. */
  | 'TEXT_IN_CHANNEL'
  /** A packet that cannot be read: an empty payload, or a datagram without the header line. */
  | 'BAD_PACKET'
  /** A REQ body that breaks the rules: no SERVICE line, a malformed SECURITY line. */
  | 'BAD_REQUEST'
  /** A reply that breaks the rules: a malformed CONNECT line, or streams that differ from it. */
  | 'BAD_REPLY'
  /** A feature string that is not hexadecimal. */
  | 'BAD_FEATURES'
  /** A DLE that cannot be read or written. */
  | 'BAD_DLE'
  /** The first 32 KiB of a dump file are not an Amanda header. */
  | 'BAD_DUMP_HEADER'
  /** The tar archive in a dump is damaged, or has a name that leads out of its directory. */
  | 'BAD_ARCHIVE'
  /** A datagram would be larger than UDP carries (65,503 bytes). */
  | 'DATAGRAM_TOO_LARGE'
  /** A wrong argument; the message names it and its range. */
  | 'BAD_ARGUMENT'
  /** A stream already has its reader; `share()` is how to fan out. */
  | 'ALREADY_READ'
  /** Bytes were sent on a direction that is already closed. */
  | 'ALREADY_CLOSED'
  /** More than the send budget was handed to a stream whose channel is saturated. */
  | 'SEND_BUDGET'
  /** A target had too many connections and ended the oldest without an admitted request. */
  | 'TOO_MANY_CONNECTIONS'
  /** The peer opened more handles on one connection than allowed. */
  | 'TOO_MANY_HANDLES'
  /** An unread stream has blocked the others for longer than allowed. */
  | 'STALLED'
  /** The channel ended or broke while something was still open on it. */
  | 'CONNECTION_LOST'
  /** This side closed the connection while something was still open on it. */
  | 'CONNECTION_CLOSED'
  /** The connection failed: refused, unreachable, unknown host. */
  | 'CONNECT_FAILED'
  /** The connection was not established in time. */
  | 'CONNECT_TIMEOUT'
  /** No reserved source port could be bound: all busy, or no permission. */
  | 'NO_RESERVED_PORT'
  /** The command that carries the channel could not be started or died. */
  | 'COMMAND_FAILED'
  /** The target did not acknowledge the request in time. */
  | 'ACK_TIMEOUT'
  /** The target acknowledged the request but did not reply in time. */
  | 'REP_TIMEOUT'
  /** What was asked was not over within its `deadline`. */
  | 'DEADLINE'
  /** The target refused the request with a NAK. */
  | 'REFUSED'
  /** The service answered, and its answer is an error. */
  | 'SERVICE_FAILED'
  /** The target cannot dump now and says when to retry; `retryAdvice` reads it. */
  | 'RETRY_LATER'
  /** No data of a dump arrived for longer than allowed. */
  | 'DATA_TIMEOUT'
  /** A dump ended incomplete: no `end`, a stream missing, no data. */
  | 'INCOMPLETE_DUMP'
  /** The reported checksum or size differs from that of the received bytes. */
  | 'CHECKSUM_MISMATCH'
  /** The peer may not do this: source port, name, user or service. */
  | 'ACCESS_DENIED'
  /** A file could not be read, written or renamed. */
  | 'FILE_FAILED'
  /** A capture or a saved recording is unreadable from some place on; the message names it. */
  | 'BAD_CAPTURE'
  /** Bytes of a connection are missing from its capture: lost or truncated. */
  | 'CAPTURE_GAP'
  /** A line of Amanda's configuration is invalid; the message names file and line. */
  | 'CONFIG_INVALID'
  /** The TLS handshake failed: no TLS, a closed connection, or no common version or cipher. */
  | 'TLS_FAILED'
  /** The peer showed no certificate. */
  | 'CERTIFICATE_MISSING'
  /** The peer's certificate is not signed by the CA, is too weak, or is not meant for this. */
  | 'CERTIFICATE_UNTRUSTED'
  /** The peer's certificate, or that of the CA, has expired or is not valid yet. */
  | 'CERTIFICATE_EXPIRED'
  /** The peer's certificate is signed by an authority below the CA, not by the CA itself. */
  | 'CERTIFICATE_DEPTH'
  /** The certificate's common name is no host name, or does not lead to the peer's address. */
  | 'CERTIFICATE_HOST'
  /** The peer's certificate differs from the one whose fingerprint is on file. */
  | 'CERTIFICATE_FINGERPRINT'
  /** The peer refused this side's certificate. */
  | 'CERTIFICATE_REFUSED'
  /** This side's certificate, key or CA certificate is invalid, or they do not match. */
  | 'CERTIFICATE_UNUSABLE'
  /** Users other than its owner can read this side's private key. */
  | 'KEY_UNSAFE';

/** What is known about a failure besides its code. */
export interface AmandaErrorContext {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** The other end, as a person would name it. */
  readonly peer?: string | undefined;
  /** The handle it happened on. */
  readonly handle?: number | undefined;
  /** What to do about it, if the message repeats words of the peer that do not say so. */
  readonly advice?: string | undefined;
  /** The text of the last partial reply, if no whole reply came. */
  readonly partialReply?: string | undefined;
}

/** The one error class of this library. All its texts are printable, whatever a peer has sent. */
export class AmandaError extends Error {
  override readonly name = 'AmandaError';
  readonly code: AmandaErrorCode;
  readonly peer?: string | undefined;
  readonly handle?: number | undefined;
  /** Printable sentences: what the words of the peer mean, and what to do. */
  readonly advice?: string | undefined;
  /** The text of the last partial reply, as it came, if no whole reply followed. */
  readonly partialReply?: string | undefined;

  constructor(code: AmandaErrorCode, message: string, context: AmandaErrorContext = {}) {
    super(
      printable(message, Infinity),
      context.cause === undefined ? undefined : { cause: printableError(context.cause) },
    );
    this.code = code;
    this.peer = context.peer === undefined ? undefined : printable(context.peer, Infinity);
    this.handle = context.handle;
    if (context.partialReply !== undefined) this.partialReply = context.partialReply;
    if (context.advice !== undefined) this.advice = printable(context.advice, Infinity);
  }
}

/** Whether an error is an {@link AmandaError}, and if `code` is given, one with that code. */
export function isAmandaError(error: unknown, code?: AmandaErrorCode): error is AmandaError {
  return error instanceof AmandaError && (code === undefined || error.code === code);
}
