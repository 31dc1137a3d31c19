import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeText, decodeText } from '../../src/wire/text.js';

const text = fc.string({ unit: 'binary', maxLength: 100 });

describe('encodeText', () => {
  it('is UTF-8, however long the text is and whatever is in it', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ maxLength: 100 })), (one) => {
        expect(encodeText(one)).toEqual(new TextEncoder().encode(one));
      }),
    );
  });

  it('leaves bytes as they are', () => {
    const bytes = Uint8Array.of(1, 2, 255);
    expect(encodeText(bytes)).toBe(bytes);
  });
});

describe('decodeText', () => {
  it('is what UTF-8 says, with U+FFFD for what is none, however long', () => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.uint8Array({ maxLength: 100, max: 127 }),
      text.map(encodeText),
    );
    fc.assert(
      fc.property(bytes, (some) => {
        expect(decodeText(some)).toBe(decoder.decode(some));
      }),
    );
  });

  it('is the text that bytes were made of', () => {
    fc.assert(
      fc.property(text, (one) => {
        expect(decodeText(encodeText(one))).toBe(one);
      }),
    );
  });
});
