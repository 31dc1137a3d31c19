import { MAX_PAYLOAD } from '../wire/frame.js';
import { formatConnect, type AnnouncedStream } from '../wire/reply.js';
import { encodeText } from '../wire/text.js';

/** A reply is one packet in one frame: type byte, text, NUL. Real amandad sends longer ones, which no Amanda accepts. */
export const MOST_REPLY_BYTES = MAX_PAYLOAD - 2;

/** The body of a final reply: the CONNECT line, if there are streams, and the text. Throws a plain Error when no packet holds it. */
export function replyBody(streams: readonly AnnouncedStream[], text: Uint8Array): Uint8Array {
  const body =
    streams.length === 0 ? text : Buffer.concat([encodeText(formatConnect(streams)), text]);
  if (body.length > MOST_REPLY_BYTES)
    throw new Error(
      `its reply of ${body.length} bytes is over the ${MOST_REPLY_BYTES} that fit one packet`,
    );
  return body;
}

/** What of a text can be sent: in a packet it ends at its first NUL, so nothing behind one would arrive. */
export function sendable(text: string | Uint8Array): Uint8Array {
  const bytes = encodeText(text);
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
