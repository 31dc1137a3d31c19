import { AmandaError } from './errors.js';
import { packetTypes, sendableType, type Packet } from './packet.js';
import { NEWLINE, bytesBefore, decodeText, encodeText, printable } from './text.js';

/** A packet as the drivers bsd and bsdudp send it: one datagram, with a header line of text. */
export interface Datagram {
  /** Names the exchange, as the initiator chose: 1 to 128 printable ASCII characters, no blanks. */
  readonly handle: string;
  /** Names the initiator's run, −2³¹ … 2³¹ − 1. */
  readonly sequence: number;
  readonly packet: Packet;
}

/**
 * The largest datagram that Amanda sends, in bytes: 65,535 less the headers of UDP and IP.
 * Source: PROTOCOL.md, "Datagrams".
 */
export const MAX_DATAGRAM = 65_503;

/** The header line ends within so many bytes; a real one has about 60. */
const MAX_HEADER_LINE = 512;
const handleText = /^[!-~]{1,128}$/;
const headerLine =
  /^ *Amanda +[!-~]*\.[!-~]* +([A-Z]+) +HANDLE +([!-~]{1,128}) +SEQ +(-?\d{1,10})$/;

/**
 * The bytes of the datagram that carries a packet.
 *
 * Errors with `DATAGRAM_TOO_LARGE` over {@link MAX_DATAGRAM}, where a real amandad truncates
 * silently. Errors with `BAD_PACKET` for BOGUS or a NUL in the body, and with `BAD_ARGUMENT` for a
 * handle or a sequence number out of range. Source: PROTOCOL.md, "Datagrams".
 */
export function encodeDatagram({ handle, sequence, packet: { type, body } }: Datagram): Uint8Array {
  if (!handleText.test(handle))
    throw new AmandaError(
      'BAD_ARGUMENT',
      `The handle of a datagram must be 1 to 128 printable characters without blanks, not "${printable(handle, 150)}".`,
    );
  if ((sequence | 0) !== sequence)
    throw new AmandaError(
      'BAD_ARGUMENT',
      `A sequence number must be a whole number of 32 bits, not ${sequence}.`,
    );
  const word = sendableType(type, body, 'name');
  const head = encodeText(`Amanda 3.5 ${word} HANDLE ${handle} SEQ ${sequence}\n`);
  const size = head.length + body.length;
  if (size > MAX_DATAGRAM)
    throw new AmandaError(
      'DATAGRAM_TOO_LARGE',
      `This ${word} needs a datagram of ${size} bytes, and UDP carries ${MAX_DATAGRAM}; use a driver over TCP for it.`,
    );
  const bytes = new Uint8Array(size);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

/**
 * Reads a datagram; the body is a view into it and ends at the first NUL.
 *
 * Errors with `BAD_PACKET` for other text and for an unknown type. Errors with `DATAGRAM_TOO_LARGE`
 * when it is longer than Amanda sends: a reply that a real amandad truncated arrives like this.
 * Source: PROTOCOL.md, "Datagrams".
 */
export function decodeDatagram(bytes: Uint8Array): Datagram {
  const text = bytesBefore(bytes, 0);
  const end = text.subarray(0, MAX_HEADER_LINE).indexOf(NEWLINE);
  const words = headerLine.exec(decodeText(text.subarray(0, Math.max(end, 0))));
  if (words === null) throw foreign(text);
  const [type, handle, digits] = words.slice(1) as [string, string, string];
  const sequence = Number(digits) | 0;
  if (!isPacketType(type) || Number(digits) !== sequence) throw foreign(text);
  if (text.length > MAX_DATAGRAM)
    throw new AmandaError(
      'DATAGRAM_TOO_LARGE',
      `This ${type} fills more than the ${MAX_DATAGRAM} bytes of Amanda's largest datagram, so its end is missing; use a driver over TCP for it.`,
    );
  return { handle, sequence, packet: { type, body: text.subarray(end + 1) } };
}

function foreign(text: Uint8Array): AmandaError {
  return new AmandaError(
    'BAD_PACKET',
    `This datagram is no packet of Amanda's: "${printable(decodeText(text.subarray(0, 100)), 100)}".`,
  );
}

function isPacketType(word: string): word is keyof typeof packetTypes {
  return Object.hasOwn(packetTypes, word);
}
