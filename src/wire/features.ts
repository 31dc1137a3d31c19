import { AmandaError } from './errors.js';
import { featureNames, type FeatureName } from './feature-names.js';
import { printable } from './text.js';

export { featureNames, type FeatureName };

/** Bytes of a feature set that are kept: 1,024 bits, seven times what Amanda 3.5.1 uses. */
const MAX_BYTES = 128;

/**
 * What a side of the conversation can do, as a set of numbered bits. Immutable.
 *
 * Bits without a name are kept, so that a set which is only passed on stays what it was.
 * Source: PROTOCOL.md, "Features".
 */
export class Features {
  /** The empty set. */
  static readonly none = new Features(new Uint8Array(0));
  /** What Amanda 3.5.1 sends. */
  static readonly amanda351 = Features.parse('ffffffff9efefbfffffffffffffff3fffbf71f');

  readonly #bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * Reads a set as it stands in an OPTIONS line: two hexadecimal digits a byte, of either case.
   *
   * `UNKNOWNFEATURE` is the empty set, and an odd digit at the end is dropped. What is behind the
   * first 128 bytes is not looked at, as Amanda does behind its own last feature. Errors with
   * `BAD_FEATURES` when something else than a digit is in it.
   */
  static parse(hex: string): Features {
    if (hex === 'UNKNOWNFEATURE') return Features.none;
    const digits = hex.slice(0, 2 * MAX_BYTES);
    if (!/^[0-9a-fA-F]*$/.test(digits)) {
      throw new AmandaError(
        'BAD_FEATURES',
        `A feature set is written in hexadecimal digits, and this is not: "${printable(hex, 80)}".`,
      );
    }
    return new Features(
      Uint8Array.from({ length: digits.length >> 1 }, (_, byte) =>
        Number.parseInt(digits.slice(2 * byte, 2 * byte + 2), 16),
      ),
    );
  }

  /** Whether a feature, by name or by the number of its bit, is in the set. Errors with `BAD_ARGUMENT` for one that cannot be. */
  has(feature: FeatureName | number): boolean {
    const bit = bitOf(feature);
    return ((this.#bytes[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  }

  /** This set and these features. Errors with `BAD_ARGUMENT` as {@link has} does. */
  with(...features: readonly (FeatureName | number)[]): Features {
    const bits = features.map(bitOf);
    const size = bits.reduce((most, bit) => Math.max(most, (bit >> 3) + 1), this.#bytes.length);
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes);
    for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    return new Features(bytes);
  }

  /** This set less these features. Errors with `BAD_ARGUMENT` as {@link has} does. */
  without(...features: readonly (FeatureName | number)[]): Features {
    const bytes = this.#bytes.slice();
    for (const bit of features.map(bitOf)) {
      // An index behind the end would be ignored by the array as well; this only says that it is meant.
      if (bit >> 3 < bytes.length) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) & ~(1 << (bit & 7));
    }
    return new Features(bytes);
  }

  /** What both sets have: what two sides can do together. */
  and(other: Features): Features {
    const size = Math.min(this.#bytes.length, other.#bytes.length);
    return new Features(
      this.#bytes.slice(0, size).map((byte, index) => byte & (other.#bytes[index] ?? 0)),
    );
  }

  /** The names of the features in the set, in the order of their bits; bits without a name are left out. */
  names(): FeatureName[] {
    return featureNames.filter((_, bit) => this.has(bit));
  }

  /** The set as it stands in an OPTIONS line; `00` for the empty one, since no digit at all may be taken for a missing value. */
  toString(): string {
    if (this.#bytes.length === 0) return '00';
    return Array.from(this.#bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}

function bitOf(feature: FeatureName | number): number {
  const bit = typeof feature === 'number' ? feature : featureNames.indexOf(feature);
  if (bit === -1 && typeof feature === 'string')
    throw new AmandaError('BAD_ARGUMENT', `There is no feature "${printable(feature, 80)}".`);
  if (!Number.isInteger(bit) || bit < 0 || bit >= 8 * MAX_BYTES) {
    throw new AmandaError(
      'BAD_ARGUMENT',
      `The number of a feature is a whole number from 0 to ${8 * MAX_BYTES - 1}, not ${bit}.`,
    );
  }
  return bit;
}
