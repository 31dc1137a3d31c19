import fc, { type Arbitrary } from 'fast-check';
import { from, map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import { decodeFrames } from '../../src/operators/decode-frames.js';
import { lines } from '../../src/operators/lines.js';
import { isAmandaError } from '../../src/wire/errors.js';
import { FrameDecoder } from '../../src/wire/frame.js';
import { cutAt, cuts, damaged } from './bytes.js';
import { patience, runs } from './runs.js';

/** What came of bytes, so that it can be compared: the frames, and how it ended. */
interface Decoded {
  readonly frames: readonly string[];
  readonly end: string;
  /** Whether the bytes stop inside a frame. */
  readonly inside?: boolean;
}

/** What a connection made of them besides: the text and the end of each handle, in order. */
interface Served extends Decoded {
  readonly handles: readonly string[];
}

const shown = (handle: number, payload: Uint8Array): string =>
  `${handle} ${Buffer.from(payload).toString('latin1')}`;
const codeOf = (error: unknown): string =>
  isAmandaError(error) ? error.code : `not ours: ${String(error)}`;

function byDecoder(pieces: readonly Uint8Array[]): Decoded {
  const decoder = new FrameDecoder();
  const frames: string[] = [];
  try {
    for (const piece of pieces)
      for (const { handle, payload } of decoder.push(piece)) frames.push(shown(handle, payload));
  } catch (error) {
    return { frames, end: codeOf(error), inside: false };
  }
  try {
    decoder.end();
    return { frames, end: 'complete', inside: false };
  } catch (error) {
    return { frames, end: codeOf(error), inside: true };
  }
}

function byOperator(pieces: readonly Uint8Array[]): Decoded {
  const frames: string[] = [];
  let end = 'open';
  from(pieces)
    .pipe(
      decodeFrames(),
      map(({ handle, payload }) => shown(handle, payload)),
    )
    .subscribe({
      next: (frame) => frames.push(frame),
      error: (error: unknown) => (end = codeOf(error)),
      complete: () => (end = 'complete'),
    });
  return { frames, end };
}

/**
 * Every handle has its reader: on an initiator from the start, on a target from its first packet
 * on.
 */
function byConnection(
  side: 'initiator' | 'target',
  pieces: readonly Uint8Array[],
  expected: readonly number[],
): Served {
  const [near, far] = memoryChannels();
  const role =
    side === 'initiator'
      ? ({ side, user: undefined } as const)
      : ({ side, namesUser: false } as const);
  const connection = new TcpmConnection(near, role, { gather: false });
  const [frames, handles]: [string[], string[]] = [[], []];
  let end = 'open';
  connection.subscribe({
    next: ({ handle, payload }) => frames.push(shown(handle, payload)),
    error: () => undefined,
  });
  const note = (handle: number) => {
    const at = handles.push(`${handle}:`) - 1;
    const add = (text: string): void => {
      handles[at] = `${handles[at] ?? ''}${text}`;
    };
    return {
      next: add,
      error: (error: unknown) => add(` ${codeOf(error)}`),
      complete: () => add(' complete'),
    };
  };
  if (side === 'initiator')
    for (const handle of expected)
      connection
        .stream(handle)
        .pipe(map((bytes) => Buffer.from(bytes).toString('latin1')))
        .subscribe(note(handle));
  connection.incoming.subscribe((handle) =>
    handle.packets
      .pipe(map(({ type, body }) => ` ${type} ${Buffer.from(body).toString('latin1')}`))
      .subscribe(note(handle.number)),
  );
  for (const piece of pieces) far.write([piece]);
  far.close();
  connection.ended.subscribe({
    error: (error: unknown) => (end = codeOf(error)),
    complete: () => (end = 'complete'),
  });
  return { frames, handles, end };
}

function handlesOf({ frames }: Decoded): readonly number[] {
  return [...new Set(frames.map((frame) => Number.parseInt(frame, 10)))].slice(0, 1_000);
}

function randomFrames(): Arbitrary<Uint8Array> {
  // Eight handles: of more requests in one read, the others wait for their turn.
  const handle = fc.oneof(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 499_998, max: 499_999 }),
    fc.constantFrom(0, 0x8000_0000, 0xffff_ffff),
  );
  const payload = fc.oneof(
    { arbitrary: fc.uint8Array({ maxLength: 60 }), weight: 9 },
    {
      arbitrary: fc
        .record({ size: fc.integer({ min: 0, max: 12_000 }), value: fc.nat(255) })
        .map(({ size, value }) => new Uint8Array(size).fill(value)),
      weight: 1,
    },
  );
  return fc
    .array(fc.record({ handle, payload }), { maxLength: 25 })
    .map((frames) => new Uint8Array(Buffer.concat(frames.flatMap(frameOf))));
}

function frameOf({
  handle,
  payload,
}: {
  readonly handle: number;
  readonly payload: Uint8Array;
}): readonly Uint8Array[] {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(payload.length);
  header.writeUInt32BE(handle, 4);
  return [header, payload];
}

describe('any cutting of the bytes gives the same', () => {
  test.each([
    ['of random frames', randomFrames(), 2_500],
    ['of recordings with damage in them', damaged(), 2_500],
  ] as const)('frames, packets and streams: %s', { timeout: patience }, (_, bytesOf, count) => {
    let inputs = 0;
    fc.assert(
      fc.property(bytesOf, cuts(), (bytes, places) => {
        inputs += 1;
        const pieces = cutAt(bytes, places);
        const whole = byDecoder([bytes]);
        expect(whole.end).not.toContain('not ours');
        expect(byDecoder(pieces)).toEqual(whole);
        expect(byOperator(pieces)).toEqual({ frames: whole.frames, end: whole.end });
        for (const side of ['initiator', 'target'] as const) {
          const served = byConnection(side, [bytes], handlesOf(whole));
          expect(served.frames).toEqual(whole.frames);
          expect(served.end).toBe(whole.inside === true ? 'CONNECTION_LOST' : whole.end);
          expect(byConnection(side, pieces, handlesOf(whole))).toEqual(served);
        }
      }),
      runs(count),
    );
    console.log(
      `${inputs} inputs, each cut and whole through a decoder, an operator and a connection of either side`,
    );
  });

  test('lines, and the same refusal of one that is too long', { timeout: patience }, () => {
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc
        .array(fc.constantFrom('a', 'abcdefg', 'abcdefghijklm', 'é', '𝄞', '\n', '\r\n', '\ufeff'), {
          maxLength: 60,
        })
        .map((parts) => new Uint8Array(Buffer.from(parts.join('')))),
    );
    fc.assert(
      fc.property(text, cuts(), (bytes, places) => {
        expect(linesOf(cutAt(bytes, places))).toEqual(linesOf([bytes]));
      }),
      runs(5_000),
    );
  });
});

function linesOf(pieces: readonly Uint8Array[]): unknown {
  let out: unknown;
  const read: string[] = [];
  from(pieces)
    .pipe(lines({ maxLength: 12 }))
    .subscribe({
      next: (line) => read.push(line),
      error: (error: unknown) => (out = codeOf(error)),
    });
  return [read, out];
}
