/**
 * Whether a text is an IPv4 address: four decimal numbers from 0 to 255 without leading zeros. Says
 * what `isIPv4` of `node:net` says, which first compiles a pattern for a quarter of a millisecond.
 */
export function isIPv4(text: string): boolean {
  let octets = 1;
  let digits = 0;
  let value = 0;
  for (let index = 0; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (digit === POINT && digits > 0) {
      octets += 1;
      digits = 0;
      value = 0;
    } else {
      const isLeadingZero = digits > 0 && value === 0;
      value = 10 * value + digit;
      if (digit < 0 || digit > 9 || isLeadingZero || value > 255) return false;
      digits += 1;
    }
  }
  return octets === 4 && digits > 0;
}

const ZERO = 0x30;
/** The point, counted from the digit 0. */
const POINT = 0x2e - ZERO;
