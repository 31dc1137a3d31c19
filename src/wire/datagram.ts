import { AmandaError } from './errors.js';
import { packetTypes, type Packet } from './packet.js';
import { printable, encodeText, decodeText } from './text.js';

/** A packet as the drivers bsd and bsdudp send it: one datagram, with a line of text in front. */
export interface Datagram {
  /** Names the exchange; the initiator's choice, 1 to 128 printable ASCII characters without blanks. */
  readonly handle: string;
  /** Names the initiator's run, −2³¹ … 2³¹ − 1. */
  readonly sequence: number;
  readonly packet: Packet;
}

/** The largest datagram that Amanda sends, in bytes (65,535 less the headers of UDP and IP). Source: PROTOCOL.md, "Datagrams". */
export const MAX_DATAGRAM = 65_503;

/** Where the header line must have ended, in bytes; a real one has some 60. */
const MAX_HEADER_LINE = 512;
const handleText = /^[!-~]{1,128}$/;
const headerLine =
  /^ *Amanda +[!-~]*\.[!-~]* +([A-Z]+) +HANDLE +([!-~]{1,128}) +SEQ +(-?\d{1,10})$/;

/**
 * The bytes of the datagram that carries a packet.
 *
 * Errors with `DATAGRAM_TOO_LARGE` for one over {@link MAX_DATAGRAM} (a real amandad sends its
 * beginning and says nothing), with `BAD_PACKET` for BOGUS or a NUL in the body, and with
 * `BAD_ARGUMENT` for a handle or a sequence number out of range. Source: PROTOCOL.md, "Datagrams".
 */
export function encodeDatagram({ handle, sequence, packet: { type, body } }: Datagram): Uint8Array {
  if (!handleText.test(handle))
    throw new AmandaError(
      'BAD_ARGUMENT',
      `A datagram's handle has 1 to 128 printable characters without blanks, not "${printable(handle, 150)}".`,
    );
  if ((sequence | 0) !== sequence)
    throw new AmandaError(
      'BAD_ARGUMENT',
      `A sequence number is a whole number of 32 bits, not ${sequence}.`,
    );
  if (type === 'BOGUS')
    throw new AmandaError('BAD_PACKET', 'A packet of type BOGUS cannot be sent: it has no name.');
  if (body.includes(0))
    throw new AmandaError(
      'BAD_PACKET',
      `The body of this ${type} contains a NUL, and the receiver would read only what is before it.`,
    );
  const head = encodeText(`Amanda 3.5 ${type} HANDLE ${handle} SEQ ${sequence}\n`);
  const size = head.length + body.length;
  if (size > MAX_DATAGRAM) {
    throw new AmandaError(
      'DATAGRAM_TOO_LARGE',
      `This ${type} needs a datagram of ${size} bytes, and UDP carries ${MAX_DATAGRAM}; use a driver over TCP for it.`,
    );
  }
  const bytes = new Uint8Array(size);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

/**
 * Reads a datagram; the body is a view into it and ends at the first NUL.
 *
 * Errors with `BAD_PACKET` when it is none of Amanda's or of an unknown type, and with
 * `DATAGRAM_TOO_LARGE` when it is longer than Amanda sends: that is how a reply arrives which a
 * real amandad has cut. Source: PROTOCOL.md, "Datagrams".
 */
export function decodeDatagram(bytes: Uint8Array): Datagram {
  const nul = bytes.indexOf(0);
  const text = nul < 0 ? bytes : bytes.subarray(0, nul);
  const end = text.subarray(0, MAX_HEADER_LINE).indexOf(0x0a);
  const words = end < 0 ? null : headerLine.exec(decodeText(text.subarray(0, end)));
  const [type = '', handle = '', sequence = ''] = words?.slice(1) ?? [];
  if (!isPacketType(type) || Number(sequence) !== (Number(sequence) | 0)) {
    throw new AmandaError(
      'BAD_PACKET',
      `This datagram is no packet of Amanda's: "${printable(decodeText(text.subarray(0, 100)), 100)}".`,
    );
  }
  if (text.length > MAX_DATAGRAM) {
    throw new AmandaError(
      'DATAGRAM_TOO_LARGE',
      `This ${type} fills more than the ${MAX_DATAGRAM} bytes of Amanda's largest datagram, so its end is missing; use a driver over TCP for it.`,
    );
  }
  return { handle, sequence: Number(sequence) | 0, packet: { type, body: text.subarray(end + 1) } };
}

function isPacketType(word: string): word is keyof typeof packetTypes {
  return Object.hasOwn(packetTypes, word);
}
