import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AmandaError } from '../../src/wire/errors.js';
import { FrameDecoder, MAX_PAYLOAD, encodeFrame, type Frame } from '../../src/wire/frame.js';

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const shown = (frames: Iterable<Frame>): [number, string][] =>
  [...frames].map(({ handle, payload }) => [handle, Buffer.from(payload).toString('hex')]);

const ack = bytes('00000002 00000001 0300');
const abc = bytes('00000003 0007a11f 616263');
const close = bytes('00000000 0007a11f');
// Far into its memory, so that no piece of it looks like the first chunk of one.
const conversation = Buffer.from(
  new Uint8Array(1_000).buffer,
  500,
  ack.length + 2 * abc.length + close.length,
).fill(Buffer.concat([ack, abc, close, abc]));
const decoded: [number, string][] = [
  [1, '0300'],
  [499_999, '616263'],
  [499_999, ''],
  [499_999, '616263'],
];

describe('FrameDecoder', () => {
  test('decodes length, handle and payload in network byte order', () => {
    expect(shown(new FrameDecoder().push(conversation))).toEqual(decoded);
  });

  test('gives each frame once, when its last byte has arrived, wherever it is cut', () => {
    for (let cut = 0; cut <= conversation.length; cut += 1) {
      const decoder = new FrameDecoder();
      const frames = [
        ...decoder.push(conversation.subarray(0, cut)),
        ...decoder.push(conversation.subarray(cut)),
      ];
      expect(shown(frames)).toEqual(decoded);
      decoder.end();
    }
  });

  test('gives the same frames for any cutting of any frames', () => {
    const frame = fc.record({
      handle: fc.nat(0xffff_ffff),
      payload: fc.uint8Array({ maxLength: 50 }),
    });
    fc.assert(
      fc.property(fc.array(frame), fc.array(fc.nat(60)), (frames, sizes) => {
        const all = Buffer.concat(frames.map(encodeFrame));
        const decoder = new FrameDecoder();
        const out: Frame[] = [];
        let at = 0;
        for (const size of sizes) {
          out.push(...decoder.push(all.subarray(at, at + size)));
          at += size;
        }
        out.push(...decoder.push(all.subarray(at)));
        decoder.end();
        expect(shown(out)).toEqual(shown(frames));
      }),
    );
  });

  test('throws nothing but AmandaError, whatever arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const decoder = new FrameDecoder();
        try {
          for (const chunk of chunks)
            for (const { payload } of decoder.push(chunk))
              expect(payload.length).toBeLessThanOrEqual(MAX_PAYLOAD);
          decoder.end();
        } catch (error) {
          expect(error).toBeInstanceOf(AmandaError);
        }
      }),
    );
  });

  test('a payload within one chunk is a view into it, one over two chunks is whole', () => {
    const chunk = Buffer.concat([ack, abc]);
    const [, view] = [...new FrameDecoder().push(chunk)];
    expect(view?.payload.buffer).toBe(chunk.buffer);
    const decoder = new FrameDecoder();
    expect([...decoder.push(abc.subarray(0, 9))]).toEqual([]);
    expect(shown(decoder.push(abc.subarray(9)))).toEqual([[499_999, '616263']]);
  });

  test('a payload over chunks that lie one after another in memory is a view of them', () => {
    const memory = new Uint8Array(Buffer.concat([ack, abc]));
    for (let cut = 1; cut < memory.length; cut += 1) {
      const decoder = new FrameDecoder();
      const frames = [
        ...decoder.push(memory.subarray(0, cut)),
        ...decoder.push(memory.subarray(cut)),
      ];
      expect(frames.map(({ payload }) => payload.buffer === memory.buffer)).toEqual([true, true]);
      expect(decoder.pending).toBe(0);
      decoder.end();
    }
  });

  test('gives the same frames for any cutting, wherever the pieces lie, and changes none of them later', () => {
    const pieces = fc.array(fc.record({ size: fc.nat(20), isAdjacent: fc.boolean() }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(pieces, (cuts) => {
        const decoder = new FrameDecoder();
        const out: (readonly [number, Uint8Array])[] = [];
        const give = (part: Uint8Array): void => {
          decoder.decode(part, (handle, payload) => out.push([handle, payload]));
        };
        let at = 0;
        for (const { size, isAdjacent } of cuts) {
          const part = conversation.subarray(at, at + size);
          give(isAdjacent ? part : Uint8Array.from(part));
          at += size;
        }
        give(conversation.subarray(at));
        decoder.end();
        const shownOut = out.map(([handle, payload]) => [
          handle,
          Buffer.from(payload).toString('hex'),
        ]);
        expect(shownOut).toEqual(decoded);
      }),
    );
  });

  test('says where the bytes end inside a frame', () => {
    const decoder = new FrameDecoder();
    expect([...decoder.push(abc.subarray(0, 10))]).toEqual([]);
    expect(decoder.pending).toBe(10);
    expect(() => {
      decoder.end();
    }).toThrow(
      expect.objectContaining({
        code: 'TRUNCATED',
        message: expect.stringContaining('2 of 3 payload bytes') as unknown,
      }),
    );
  });

  test('accepts the largest payload and refuses one byte more', () => {
    const largest = new FrameDecoder();
    expect([...largest.push(bytes('00400000 00000001'))]).toEqual([]);
    const [frame] = [...largest.push(new Uint8Array(MAX_PAYLOAD))];
    expect(frame?.payload.length).toBe(4_194_304);
    expect(() => new FrameDecoder().push(bytes('00400001 00000001'))).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    );
  });

  test.each(['80000000', 'ffffffff', '7fffffff'])('refuses the length 0x%s', (length) => {
    expect(() => new FrameDecoder().push(bytes(`${length} 00000001`))).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    );
  });

  test('gives the good frames in front of a bad header, then the error, and stays failed', () => {
    const decoder = new FrameDecoder();
    const result = decoder.push(Buffer.concat([ack, bytes('80000000 00000001')]));
    const seen: number[] = [];
    expect(() => {
      for (const { handle } of result) seen.push(handle);
    }).toThrow(AmandaError);
    expect(seen).toEqual([1]);
    expect(() => decoder.push(ack)).toThrow(AmandaError);
    expect(() => {
      decoder.end();
    }).toThrow(AmandaError);
  });

  test('takes the bytes in even when the result is not looked at', () => {
    const decoder = new FrameDecoder();
    decoder.push(abc.subarray(0, 5));
    expect(shown(decoder.push(abc.subarray(5)))).toEqual([[499_999, '616263']]);
  });

  test('keeps no more memory for a frame than what has arrived of it, about', () => {
    const decoder = new FrameDecoder();
    const before = process.memoryUsage().arrayBuffers;
    const announced = Array.from({ length: 64 }, () => new FrameDecoder());
    for (const one of announced) one.push(bytes('00400000 00000001 00'));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 300_000);
    expect(decoder.pending).toBe(0);
    expect(announced[0]?.pending).toBe(9);
  });

  test.each([
    ['HTTP/1.0 400 Bad Request\r\n\r\n', /HTTP\/1.0 400 Bad Request.*HTTP server/],
    ['GET / HTTP/1.1\r\nHost: x\r\n', /HTTP client/],
    ['SSH-2.0-OpenSSH_9.2\r\n', /SSH server/],
    ['Welcome to db1!\nhave a nice day', /Welcome to db1!\\nhave.*login profile/],
  ])('names text in the channel: %j', (text, message) => {
    expect(() => new FrameDecoder().push(Buffer.from(text))).toThrow(
      expect.objectContaining({
        code: 'TEXT_IN_CHANNEL',
        message: expect.stringMatching(message) as string,
      }),
    );
  });

  test('shows at most 100 characters of it, and no control character raw', () => {
    const attempt = (): unknown =>
      new FrameDecoder().push(Buffer.from(`\t${'x'.repeat(500)}\u001b[2J`));
    expect(attempt).toThrow(/"\\tx{99}"/);
  });

  test('says that the peer speaks TLS', () => {
    expect(() => new FrameDecoder().push(bytes('16030100 ca010000'))).toThrow(
      /as auth ssl sends them/,
    );
  });

  test('says where the bytes end inside a frame', () => {
    const header = new FrameDecoder();
    header.push(abc.subarray(0, 5));
    expect(() => {
      header.end();
    }).toThrow(
      expect.objectContaining({
        code: 'TRUNCATED',
        message: expect.stringMatching(/5 of 8 bytes/) as string,
      }),
    );
    const payload = new FrameDecoder();
    payload.push(abc.subarray(0, 9));
    expect(() => {
      payload.end();
    }).toThrow(
      expect.objectContaining({
        code: 'TRUNCATED',
        handle: 499_999,
        message: expect.stringMatching(/1 of 3 payload bytes/) as string,
      }),
    );
  });

  test('does not judge a length before its header is whole', () => {
    const decoder = new FrameDecoder();
    expect(shown(decoder.push(Buffer.concat([ack, bytes('ffffffff')])))).toEqual([[1, '0300']]);
    expect(shown(decoder.push(bytes('000000')))).toEqual([]);
    expect(() => decoder.push(bytes('01'))).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    );
  });

  test.each([
    ['that do not touch in one memory', 20, false],
    ['that lie at following places of two memories', 5, true],
  ])('joins pieces %s', (_where, at, isElsewhere) => {
    const memory = new Uint8Array(64);
    const other = isElsewhere ? new Uint8Array(64) : memory;
    memory.set(abc.subarray(0, 5));
    other.set(abc.subarray(5), at);
    const decoder = new FrameDecoder();
    expect(shown(decoder.push(memory.subarray(0, 5)))).toEqual([]);
    const frames = decoder.push(other.subarray(at, at + abc.length - 5));
    expect(shown(frames)).toEqual([[499_999, '616263']]);
  });

  test('a close keeps no memory of the chunks that it came in', () => {
    const decoder = new FrameDecoder();
    const frames = [
      ...decoder.push(Buffer.from(close)),
      ...decoder.push(Uint8Array.from(close.subarray(0, 3))),
      ...decoder.push(Uint8Array.from(close.subarray(3))),
    ];
    expect(frames.map(({ payload }) => payload.buffer.byteLength)).toEqual([0, 0]);
  });

  test('says where the bytes end in a frame that came in separate pieces', () => {
    const decoder = new FrameDecoder();
    decoder.push(Uint8Array.from(abc.subarray(0, 4)));
    decoder.push(Uint8Array.from(abc.subarray(4, 9)));
    expect(() => {
      decoder.end();
    }).toThrow(
      expect.objectContaining({
        code: 'TRUNCATED',
        message: expect.stringContaining('1 of 3 payload bytes') as unknown,
      }),
    );
  });

  test('says that the bytes end after a header', () => {
    const decoder = new FrameDecoder();
    decoder.push(abc.subarray(0, 8));
    expect(() => {
      decoder.end();
    }).toThrow(
      expect.objectContaining({
        code: 'TRUNCATED',
        handle: 499_999,
        message: expect.stringContaining('0 of 3 payload bytes') as unknown,
      }),
    );
  });

  test.each([1, 2 ** 31 - 1])('takes the limit %d', (maxPayload) => {
    const frames = new FrameDecoder({ maxPayload }).push(bytes('00000001 00000001 ff'));
    expect(shown(frames)).toEqual([[1, 'ff']]);
  });

  test.each([0, -1, 1.5, 2 ** 31, Number.NaN])('refuses the limit %d', (maxPayload) => {
    expect(() => new FrameDecoder({ maxPayload })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    );
  });
});

describe('encodeFrame', () => {
  test('writes length, handle and payload in network byte order', () => {
    expect(encodeFrame({ handle: 499_999, payload: bytes('616263') })).toEqual(abc);
    expect(encodeFrame({ handle: 0xffff_fffe, payload: bytes('') })).toEqual(
      bytes('00000000 fffffffe'),
    );
  });

  test.each([-1, 2 ** 32, 0.5, Number.NaN])('refuses the handle %d', (handle) => {
    expect(() => encodeFrame({ handle, payload: bytes('') })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    );
  });

  test('refuses a payload that no receiver accepts', () => {
    expect(() => encodeFrame({ handle: 7, payload: new Uint8Array(MAX_PAYLOAD + 1) })).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE', handle: 7 }),
    );
    expect(encodeFrame({ handle: 7, payload: new Uint8Array(MAX_PAYLOAD) }).length).toBe(4_194_312);
  });
});
