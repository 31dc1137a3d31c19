import fc from 'fast-check';
import { isIPv4 as isIPv4OfNode } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isIPv4 } from '../../src/access/ipv4.js';

describe('isIPv4', () => {
  it.each(['0.0.0.0', '127.0.0.1', '255.255.255.255', '10.20.39.49'])('%s is one', (text) => {
    expect(isIPv4(text)).toBe(true);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1e1.2.3.4',
    '-0.2.3.4',
    '+1.2.3.4',
    '0x1.2.3.4',
    '1..2.3',
    '1.2.3.:',
    '::1',
  ])('%j is none', (text) => {
    expect(isIPv4(text)).toBe(false);
  });

  it("says what Node's own says", () => {
    const part = fc.oneof(
      fc.integer({ min: 0, max: 300 }).map(String),
      fc.stringMatching(/^[0-9a-fx+. -]{0,4}$/),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 3, maxLength: 5 }), (parts) => {
        const text = parts.join('.');
        expect(isIPv4(text)).toBe(isIPv4OfNode(text));
      }),
    );
  });
});
