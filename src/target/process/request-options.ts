import { Options, parseOptions } from '../../wire/options.js';
import { Features } from '../../wire/features.js';
import { decodeText } from '../../wire/text.js';

const NEWLINE = 0x0a;
const MAX_LINE = 65_536;

/** The OPTIONS line of a request's arguments; without entries when it is absent or malformed. */
export function requestOptions(args: Uint8Array): Options {
  const newline = args.indexOf(NEWLINE);
  const line = decodeText(
    args.subarray(0, Math.min(newline < 0 ? args.length : newline, MAX_LINE)),
  );
  try {
    return parseOptions(line);
  } catch {
    return new Options();
  }
}

/** The requester's features; none when the feature string is malformed. */
export function requestFeatures(options: Options): Features {
  try {
    return options.features ?? Features.none;
  } catch {
    return Features.none;
  }
}
