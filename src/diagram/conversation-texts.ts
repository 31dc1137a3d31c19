import { isAmandaError } from '../wire/errors.js';
import { decodePacket, type Packet } from '../wire/packet.js';
import { parseReply, refusal, type AnnouncedStream } from '../wire/reply.js';
import { requestSubject } from '../wire/dle/requested-disks.js';
import { parseSecurity, parseService } from '../wire/request.js';
import { printable, decodeText } from '../wire/text.js';

/** What a diagram shows of a packet. */
export interface PacketSummary {
  readonly type: Packet['type'];
  /** The type and a few words. */
  readonly label: string;
  /** The service of a REQ, if the request can be read. */
  readonly service: string | undefined;
  /** The streams that a reply announces. */
  readonly streams: readonly AnnouncedStream[];
}

/** How many bytes of a packet are read: the front of a request or a reply says what it is. */
export const READ_BYTES = 8_192;
const LABEL_LENGTH = 80;

/** Reads the front of a packet; never throws. */
export function summarize(payload: Uint8Array): PacketSummary {
  const { type, body } = decodePacket(payload.subarray(0, READ_BYTES));
  switch (type) {
    case 'REQ':
      return ofRequest(body);
    case 'REP':
    case 'PREP':
      return ofReply(type, body);
    case 'NAK':
      return summary(type, firstLine(refusal(body)));
    case 'ACK':
      return summary(type, '');
    case 'BOGUS':
      return summary(type, `type ${payload[0] ?? 0}`);
  }
}

/** Whether a payload is a request, on any handle. */
export function isRequest(payload: Uint8Array): boolean {
  return payload[0] === 0 && /^(SECURITY|SERVICE) /.test(decodeText(payload.subarray(1, 10)));
}

/** The size in words. The last one is cached, because sizes come in runs. */
export function bytesInWords(bytes: number): string {
  if (bytes !== lastBytes) {
    lastBytes = bytes;
    lastWords = bytes === 1 ? '1 byte' : `${bytes} bytes`;
  }
  return lastWords;
}

let lastBytes = -1;
let lastWords = '';

/** A line of MESG that a reader must see. */
export interface MessageMark {
  readonly kind: 'error' | 'strange';
  /** The line, in words. */
  readonly label: string;
}

/** What a line of MESG says of trouble; undefined for any other line. */
export function messageMark(line: string): MessageMark | undefined {
  const failed = /^sendbackup: (?:error|FAILED)(?: (.*))?$/.exec(line);
  if (failed !== null)
    return { kind: 'error', label: printable(`the dump failed: ${failed[1] ?? ''}`, LABEL_LENGTH) };
  return /^\?|^sendbackup: strange/.test(line)
    ? { kind: 'strange', label: printable(`strange: ${line}`, LABEL_LENGTH) }
    : undefined;
}

function ofRequest(body: Uint8Array): PacketSummary {
  try {
    const namesUser = decodeText(body.subarray(0, 9)) === 'SECURITY ';
    const request = parseService(namesUser ? parseSecurity(body).rest : body);
    const { service, disk, level } = requestSubject(request);
    const about = [
      service,
      ...(disk === undefined ? [] : [disk]),
      ...(level === undefined ? [] : [`level ${level}`]),
    ];
    return { ...summary('REQ', about.join(' ')), service: printable(service, LABEL_LENGTH) };
  } catch (error) {
    return summary('REQ', whyNot(error));
  }
}

function ofReply(type: 'REP' | 'PREP', body: Uint8Array): PacketSummary {
  try {
    const { connect, errors, text } = parseReply(wholeLines(body));
    const about =
      errors[0] !== undefined
        ? `ERROR ${errors[0]}`
        : connect.length > 0
          ? connect.map(({ name }) => name).join(' ')
          : text;
    return { ...summary(type, firstLine(about)), streams: connect };
  } catch (error) {
    return summary(type, whyNot(error));
  }
}

function summary(type: Packet['type'], about: string): PacketSummary {
  return {
    type,
    label: about === '' ? type : printable(`${type} ${about}`, LABEL_LENGTH),
    service: undefined,
    streams: [],
  };
}

/** Without the last line of a packet that was cut. */
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
