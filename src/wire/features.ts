import { checkArgument } from './arguments.js';
import { AmandaError } from './errors.js';
import { featureNames, type FeatureName } from './feature-names.js';
import { inRange } from './ranges.js';
import { printable } from './text.js';

export { featureNames, type FeatureName };

/** The most bytes of a feature set: 1,024 bits, seven times what Amanda 3.5.1 uses. */
const MAX_BYTES = 128;

/** The method by which Node's `util.inspect` prints an object. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * What a side of the conversation can do, as an immutable set of numbered bits.
 *
 * Bits without a name are kept, so a set that is only passed on stays the same.
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
   * Reads a set as an OPTIONS line has it: two hexadecimal digits a byte, of either case.
   *
   * `UNKNOWNFEATURE` is the empty set. An odd digit at the end is ignored, and so is all after the
   * first 128 bytes; Amanda ignores what follows its own last feature. Errors with `BAD_FEATURES`
   * for any other character.
   */
  static parse(hex: string): Features {
    checkArgument('A feature set', hex, 'string');
    if (hex === 'UNKNOWNFEATURE') return Features.none;
    const digits = hex.slice(0, 2 * MAX_BYTES);
    if (!/^[0-9a-fA-F]*$/.test(digits)) {
      throw new AmandaError(
        'BAD_FEATURES',
        `A feature set must be hexadecimal digits, not "${printable(hex, 80)}".`,
      );
    }
    return new Features(
      Uint8Array.from({ length: digits.length >> 1 }, (_, byte) =>
        Number.parseInt(digits.slice(2 * byte, 2 * byte + 2), 16),
      ),
    );
  }

  /**
   * Whether the set has a feature, by name or by the number of its bit. Errors with `BAD_ARGUMENT`
   * for an unknown name and a number over 1,023.
   */
  has(feature: FeatureName | number): boolean {
    const bit = bitOf(feature);
    return ((this.#bytes[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  }

  /** This set with these features. Errors with `BAD_ARGUMENT` as {@link has} does. */
  with(...features: readonly (FeatureName | number)[]): Features {
    const bits = features.map(bitOf);
    const size = bits.reduce((most, bit) => Math.max(most, (bit >> 3) + 1), this.#bytes.length);
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes);
    for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    return new Features(bytes);
  }

  /** This set without these features. Errors with `BAD_ARGUMENT` as {@link has} does. */
  without(...features: readonly (FeatureName | number)[]): Features {
    const bytes = this.#bytes.slice();
    // The array ignores an index after its end.
    for (const bit of features.map(bitOf))
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) & ~(1 << (bit & 7));
    return new Features(bytes);
  }

  /** The features of both sets: what two sides can do together. */
  and(other: Features): Features {
    const size = Math.min(this.#bytes.length, other.#bytes.length);
    return new Features(
      this.#bytes.slice(0, size).map((byte, index) => byte & (other.#bytes[index] ?? 0)),
    );
  }

  /** The names of the features in the set, in the order of their bits; unnamed bits have none. */
  names(): FeatureName[] {
    return featureNames.filter((_, bit) => this.has(bit));
  }

  /**
   * The names of the features, and the number of each bit without a name: what JSON and
   * `console.log` show. `Features.none.with(...)` of them is the same set.
   */
  toJSON(): (FeatureName | number)[] {
    return Array.from({ length: 8 * this.#bytes.length }, (_, bit) => bit)
      .filter((bit) => this.has(bit))
      .map((bit) => featureNames[bit] ?? bit);
  }

  /** @internal Called by `console.log` of Node. */
  [INSPECT](_depth: number, options: object, inspect: (value: unknown, options: object) => string) {
    return `Features ${inspect(this.toJSON(), options)}`;
  }

  /** The set as an OPTIONS line has it; `00` when empty, because no digit could mean no value. */
  toString(): string {
    if (this.#bytes.length === 0) return '00';
    return Array.from(this.#bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}

function bitOf(feature: FeatureName | number): number {
  const bit = typeof feature === 'number' ? feature : featureNames.indexOf(feature);
  if (bit === -1 && typeof feature === 'string')
    throw new AmandaError('BAD_ARGUMENT', `There is no feature "${printable(feature, 80)}".`);
  return inRange('The number of a feature', bit, 0, 8 * MAX_BYTES - 1);
}
