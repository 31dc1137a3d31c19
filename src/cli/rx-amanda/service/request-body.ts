import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { defer, finalize, from, of, type Observable } from 'rxjs';
import { MAX_PAYLOAD } from '../../../wire/frame.js';
import { AmandaError } from '../../../wire/errors.js';
import { messageOf } from '../../../wire/text.js';
import { UsageError } from '../../terminal/arguments.js';

/** A request is one packet in one frame. */
const MOST_BYTES = MAX_PAYLOAD;

/**
 * Reads the body of a request: a file, or standard input unless it is a terminal. Unsubscribing
 * closes the source. Errors with `FILE_FAILED`, and with a {@link UsageError} for a body that is
 * too long.
 */
export function readBody(
  file: string | undefined,
  stdin: () => Readable & { readonly isTTY?: boolean },
): Observable<Uint8Array> {
  return defer(() => {
    if (file === undefined && stdin().isTTY === true) return of(new Uint8Array(0));
    const source = file === undefined ? stdin() : createReadStream(file);
    return from(readAll(source, file ?? 'standard input')).pipe(
      finalize(() => {
        source.destroy();
      }),
    );
  });
}

async function readAll(source: AsyncIterable<Uint8Array>, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const chunk of source) {
      chunks.push(chunk);
      total += chunk.length;
      if (total > MOST_BYTES)
        throw new UsageError(`The request is over the ${MOST_BYTES} bytes that fit one packet.`);
    }
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new AmandaError('FILE_FAILED', `Cannot read ${name}: ${messageOf(cause)}.`, { cause });
  }
  return Buffer.concat(chunks);
}
