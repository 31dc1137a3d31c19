import { readFileSync } from 'node:fs';
import { decodeText } from '../../wire/text.js';

/**
 * The arguments of this process, with bytes that are not UTF-8 as {@link decodeText} has them. Node
 * loses such bytes, and Linux still has them.
 */
export function processArguments(
  given: readonly string[] = process.argv.slice(2),
  commandLine = '/proc/self/cmdline',
): readonly string[] {
  if (!given.some((word) => word.includes('\ufffd'))) return given;
  try {
    const words = splitAtNul(readFileSync(commandLine)).slice(-given.length);
    const isSame = words.every((word, at) => Buffer.from(word).toString() === given[at]);
    return isSame && words.length === given.length ? words.map(decodeText) : given;
  } catch {
    return given;
  }
}

/** The parts before each NUL. */
function splitAtNul(bytes: Uint8Array): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let start = 0, end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
    parts.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return parts;
}
