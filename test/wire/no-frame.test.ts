import { describe, expect, test } from 'vitest';
import { FrameDecoder } from '../../src/wire/frame.js';

/** What the decoder throws for these bytes. */
function failure(bytes: Uint8Array): unknown {
  try {
    return [...new FrameDecoder().push(bytes)];
  } catch (error) {
    return error;
  }
}

/** What the decoder throws when the bytes end after these. */
function failureAtEnd(bytes: Uint8Array): unknown {
  const decoder = new FrameDecoder();
  decoder.push(bytes);
  try {
    decoder.end();
    return undefined;
  } catch (error) {
    return error;
  }
}

const text = (characters: string): Buffer => Buffer.from(characters, 'latin1');
const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');

describe('a bad header', () => {
  test.each([
    ['80000000 00000001', 'a negative length (0x80000000)'],
    ['ffffffff 00000001', 'a negative length (0xffffffff)'],
    ['00400001 00000001', '4194305 bytes, over the limit of 4194304'],
  ])('%s names the length and nothing else', (header, announced) => {
    expect(failure(hex(header))).toMatchObject({
      code: 'FRAME_TOO_LARGE',
      message: `A frame announces ${announced}, so nothing after it can be read.`,
    });
  });

  test.each(['15030100 02022800', '16030100 ca010000'])('%s is a TLS record', (header) => {
    expect(failure(hex(header))).toMatchObject({
      code: 'FRAME_TOO_LARGE',
      message: expect.stringContaining('these are TLS records') as string,
    });
  });

  test.each(['17030100 02022800', '16020100 ca010000', '15000000 03000000'])(
    '%s is no TLS record',
    (header) => {
      expect(failure(hex(header))).toMatchObject({
        message: expect.not.stringContaining('TLS') as string,
      });
    },
  );

  test('shows three printable characters at its front, and not two', () => {
    expect(failure(text('abc\0\0\0\0\0'))).toMatchObject({
      code: 'FRAME_TOO_LARGE',
      message: expect.stringMatching(
        /can be read \(the bytes begin with the text "abc"\)\.$/,
      ) as string,
    });
    expect(failure(text('ab\0\0\0\0\0\0'))).toMatchObject({
      message: expect.stringMatching(/can be read\.$/) as string,
    });
  });
});

describe('text in the channel', () => {
  test.each([
    ['is eight printable characters', 'abcd~fgh', 'TEXT_IN_CHANNEL'],
    ['is a shorter line', 'hi\n\0\0\0\0\0', 'TEXT_IN_CHANNEL'],
    ['has carriage returns and tabs', 'a\tb\rcdef', 'TEXT_IN_CHANNEL'],
    ['is not seven characters without a newline', 'abcdefg\0', 'FRAME_TOO_LARGE'],
    ['has no DEL', 'abcdefg\u007f', 'FRAME_TOO_LARGE'],
    ['has no byte over 0x7f', 'abcdefg\u00ff', 'FRAME_TOO_LARGE'],
  ])('%s', (_what, characters, code) => {
    expect(failure(text(characters))).toMatchObject({ code });
  });

  test.each([
    ['HTTP/1.1 400 Bad Request', 'HTTP server'],
    ['DELETE / HTTP/1.1', 'HTTP client'],
    ['SSH-2.0-OpenSSH_9.2', 'SSH server'],
    ['220 mail.example.com ESMTP', 'mail or FTP server'],
    ['220-ftp.example.com', 'mail or FTP server'],
    ['+OK POP3 ready', 'mail or FTP server'],
    ['* OK IMAP4 ready', 'mail or FTP server'],
    ['amandad: no such user', 'message of amandad itself'],
    ['no driver for security type', 'message of amandad itself'],
    ['This account is currently not available.', 'login shell'],
    ['Welcome. GET / of all news', 'login profile'],
    ['Rooms: 220 and 221', 'login profile'],
    ['Note: This account is not available.', 'login profile'],
  ])('%j points to: %s', (characters, culprit) => {
    expect(failure(text(characters))).toMatchObject({
      code: 'TEXT_IN_CHANNEL',
      message: expect.stringContaining(culprit) as string,
    });
  });
});

describe('bytes that end inside a header', () => {
  test('are a truncated frame, and three printable characters are shown', () => {
    expect(failureAtEnd(text('abc'))).toMatchObject({
      code: 'TRUNCATED',
      message:
        'The bytes end inside a frame header, 3 of 8 bytes in (the bytes begin with the text "abc").',
    });
    expect(failureAtEnd(text('ab'))).toMatchObject({
      code: 'TRUNCATED',
      message: 'The bytes end inside a frame header, 2 of 8 bytes in.',
    });
  });

  test('are text in the channel if they end a line', () => {
    expect(failureAtEnd(text('hi\n'))).toMatchObject({ code: 'TEXT_IN_CHANNEL' });
  });
});
