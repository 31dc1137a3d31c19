/** The Castagnoli polynomial, bits reflected. */
const POLYNOMIAL = 0x82f6_3b78;

/** Bits after which the same difference comes again. */
const PERIOD = 2 ** 31 - 1;

/** One bit of some bytes. */
export interface BitPlace {
  readonly byte: number;
  /** 0 is the lowest. */
  readonly bit: number;
}

/**
 * The one bit that, when flipped, turns a CRC-32C into another, in that many bytes. Undefined when
 * no single bit does. Over 2³¹ bits the last of several possible places.
 */
export function flippedBit(expected: number, actual: number, bytes: number): BitPlace | undefined {
  let difference = (expected ^ actual) >>> 0;
  if (difference === 0) return undefined;
  const bits = Math.min(bytes * 8, PERIOD);
  // A flipped highest bit of the last byte is the polynomial; each bit before it is one step more.
  for (let step = 0; step < bits; step++) {
    if (difference === POLYNOMIAL) {
      const place = bytes * 8 - 1 - step;
      return { byte: Math.floor(place / 8), bit: place % 8 };
    }
    // One step back: the reverse of `r & 1 ? (r >>> 1) ^ POLYNOMIAL : r >>> 1`.
    difference =
      difference & 0x8000_0000
        ? (((difference ^ POLYNOMIAL) << 1) | 1) >>> 0
        : (difference << 1) >>> 0;
  }
  return undefined;
}
