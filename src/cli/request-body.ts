import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { MAX_PAYLOAD } from '../wire/frame.js';
import { AmandaError } from '../wire/errors.js';
import { UsageError } from './arguments.js';

/** A request is one packet in one frame, so there is no use in reading more. */
const MOST_BYTES = MAX_PAYLOAD;

/** What is to follow the OPTIONS line: the file's bytes, or those of standard input unless it is a terminal. Rejects with `FILE_FAILED`. */
export async function readBody(file: string | undefined, stdin: () => Readable & { readonly isTTY?: boolean }): Promise<Uint8Array> {
  const source = file === undefined ? stdin() : createReadStream(file);
  if (file === undefined && stdin().isTTY === true) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      total += chunk.length;
      if (total > MOST_BYTES) throw new UsageError(`The request is over the ${MOST_BYTES} bytes that fit one packet.`);
    }
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new AmandaError('FILE_FAILED', `Cannot read ${file ?? 'standard input'}: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
  return Buffer.concat(chunks);
}
