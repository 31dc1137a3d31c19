import { Features, type FeatureName } from '../../wire/features.js';

/** Feature sets in a reply: in its OPTIONS lines, and in the JSON of selfcheck. */
const ANNOUNCED =
  /^(OPTIONS (?:[^\n;]*;)*?features=| *"features" ?: ?"| *"message" ?: ?"OPTIONS features=)([0-9a-f]+)/gim;

/** Removes features from what a reply announces. All other bytes stay as they are. */
export function withoutFeatures(body: Uint8Array, hidden: readonly FeatureName[]): Uint8Array {
  if (hidden.length === 0) return body;
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
  const rewritten = text.replace(
    ANNOUNCED,
    (_, before: string, hex: string) =>
      before +
      Features.parse(hex)
        .without(...hidden)
        .toString(),
  );
  return Buffer.from(rewritten, 'latin1');
}
