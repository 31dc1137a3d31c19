import { isAmandaError } from '../wire/errors.js';
import { decodePacket, type Packet } from '../wire/packet.js';
import { parseReply, refusal, type AnnouncedStream } from '../wire/reply.js';
import { parseSecurity, parseService } from '../wire/request.js';
import { printable, decodeText } from '../wire/text.js';

/** A packet as a diagram tells of it. */
export interface ToldPacket {
  readonly type: Packet['type'];
  /** The type, and what it is about in a few words. */
  readonly label: string;
  /** The service that a REQ asks for, if it can be read. */
  readonly service: string | undefined;
  /** The streams that a reply announces. */
  readonly streams: readonly AnnouncedStream[];
}

/** How much of a packet is read, in bytes: the front of a request or a reply says what it is. */
export const READ_BYTES = 8_192;
const LABEL_LENGTH = 80;

/** Reads as much of a packet as a diagram tells; never fails, whatever it is. */
export function tellPacket(payload: Uint8Array): ToldPacket {
  const { type, body } = decodePacket(payload.subarray(0, READ_BYTES));
  switch (type) {
    case 'REQ':
      return toldRequest(body);
    case 'REP':
    case 'PREP':
      return toldReply(type, body);
    case 'NAK':
      return told(type, firstLine(refusal(body)));
    case 'ACK':
      return told(type, '');
    case 'BOGUS':
      return told(type, `type ${payload[0] ?? 0}`);
  }
}

/** Whether a payload is a request, whatever the handle's number says. */
export function isRequest(payload: Uint8Array): boolean {
  return payload[0] === 0 && /^(SECURITY|SERVICE) /.test(decodeText(payload.subarray(1, 10)));
}

/** The size in words. Sizes come in runs, so the last one is kept. */
export function bytesInWords(bytes: number): string {
  if (bytes !== lastBytes) {
    lastBytes = bytes;
    lastWords = bytes === 1 ? '1 byte' : `${bytes} bytes`;
  }
  return lastWords;
}

let lastBytes = -1;
let lastWords = '';

function toldRequest(body: Uint8Array): ToldPacket {
  try {
    const namesUser = decodeText(body.subarray(0, 9)) === 'SECURITY ';
    const { service } = parseService(namesUser ? parseSecurity(body).rest : body);
    return { ...told('REQ', service), service: printable(service, LABEL_LENGTH) };
  } catch (error) {
    return told('REQ', whyNot(error));
  }
}

function toldReply(type: 'REP' | 'PREP', body: Uint8Array): ToldPacket {
  try {
    const { connect, errors, text } = parseReply(wholeLines(body));
    const about =
      errors[0] !== undefined
        ? `ERROR ${errors[0]}`
        : connect.length > 0
          ? connect.map(({ name }) => name).join(' ')
          : text;
    return { ...told(type, firstLine(about)), streams: connect };
  } catch (error) {
    return told(type, whyNot(error));
  }
}

function told(type: Packet['type'], about: string): ToldPacket {
  return {
    type,
    label: about === '' ? type : printable(`${type} ${about}`, LABEL_LENGTH),
    service: undefined,
    streams: [],
  };
}

/** Without the line that is cut in two, if one is. */
function wholeLines(body: Uint8Array): Uint8Array {
  return body.length < READ_BYTES - 1
    ? body
    : body.subarray(0, Math.max(body.lastIndexOf(0x0a), 0));
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function whyNot(error: unknown): string {
  if (!isAmandaError(error)) throw error;
  return `that cannot be read: ${error.message}`;
}
