import { AmandaError } from '../wire/errors.js';
import { MAX_PAYLOAD } from '../wire/frame.js';
import { formatConnect, type AnnouncedStream } from '../wire/reply.js';
import { encodeText } from '../wire/text.js';

/**
 * A reply is one packet in one frame: type byte, text, NUL. Real amandad sends longer ones, which
 * no Amanda accepts.
 */
export const MOST_REPLY_BYTES = MAX_PAYLOAD - 2;

/**
 * The body of a final reply: CONNECT line and text. Throws `SERVICE_FAILED` when it is too long.
 */
export function replyBody(streams: readonly AnnouncedStream[], text: Uint8Array): Uint8Array {
  const body =
    streams.length === 0 ? text : Buffer.concat([encodeText(formatConnect(streams)), text]);
  if (body.length > MOST_REPLY_BYTES)
    throw new AmandaError(
      'SERVICE_FAILED',
      `its reply of ${body.length} bytes is over the ${MOST_REPLY_BYTES} that fit one packet`,
    );
  return body;
}
