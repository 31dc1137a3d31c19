import { AmandaError } from './errors.js';
import { HEADER_BYTES } from './frame-header.js';
import { printable } from './text.js';

/** The most characters of a text in the channel that an error shows. */
const SHOWN_TEXT = 100;

/** The error for a bad header; `length` is its first four bytes as a signed number. */
export function badHeader(bytes: Uint8Array, length: number, maxPayload: number): AmandaError {
  const text = leadingText(bytes);
  // A greeting may be shorter than a header and frames may follow it, but it ends a line.
  if (text.length >= HEADER_BYTES || text.includes('\n')) return textInChannel(text);
  const announced =
    length < 0
      ? `a negative length (0x${(length >>> 0).toString(16)})`
      : `${length} bytes, over the limit of ${maxPayload}`;
  const speaksTls = (bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 0x03;
  const hint = speaksTls
    ? ' (these are TLS records, as auth ssl sends them; both sides must have the same auth, and a tap cannot read them)'
    : textHint(bytes);
  return new AmandaError(
    'FRAME_TOO_LARGE',
    `A frame announces ${announced}, so nothing after it can be read${hint}.`,
  );
}

/** The error for bytes that end inside a header. */
export function cutHeader(bytes: Uint8Array): AmandaError {
  const text = leadingText(bytes);
  if (text.includes('\n')) return textInChannel(text);
  return new AmandaError(
    'TRUNCATED',
    `The bytes end inside a frame header, ${bytes.length} of ${HEADER_BYTES} bytes in${textHint(bytes)}.`,
  );
}

function textInChannel(text: string): AmandaError {
  return new AmandaError(
    'TEXT_IN_CHANNEL',
    `There is text where Amanda frames were expected: "${printable(text)}". ${culprit(text)}`,
  );
}

function textHint(bytes: Uint8Array): string {
  const text = leadingText(bytes);
  return text.length >= 3 ? ` (the bytes begin with the text "${printable(text)}")` : '';
}

/** The printable characters at the front, 100 at most. */
function leadingText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes.subarray(0, SHOWN_TEXT)) {
    const isText = (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09;
    if (!isText) break;
    text += String.fromCharCode(byte);
  }
  return text;
}

function culprit(text: string): string {
  if (text.startsWith('HTTP/')) return 'This is an HTTP server; check the port.';
  if (/^(GET|HEAD|POST|PUT|OPTIONS|CONNECT|DELETE) /.test(text))
    return 'This is an HTTP client; check which port it was given.';
  if (text.startsWith('SSH-'))
    return 'This is an SSH server answering directly; use --auth ssh, or check the port.';
  if (/^(220|\+OK|\* OK)[ -]/.test(text)) return 'This is a mail or FTP server; check the port.';
  if (/amandad: |no driver for security/.test(text)) return 'This is a message of amandad itself.';
  if (/^This account is .*not available/.test(text))
    return 'The login shell of that user refuses to run anything; give the user a real one (usermod -s /bin/sh).';
  return 'Usually a login profile (.bashrc, motd) prints it before amandad starts; make it silent for sessions without a terminal, or check the port.';
}
