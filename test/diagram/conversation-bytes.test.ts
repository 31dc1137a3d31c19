import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/diagram/model.js';
import { ConversationBytes } from '../../src/diagram/conversation-bytes.js';
import type { ConversationOptions } from '../../src/diagram/conversation.js';
import {
  conversation,
  conversationNames,
  framesOf,
  refusalOf,
  directions,
} from '../support/captures.js';
import { frameBytes, packetBytes, roleOf, shownFrames } from './shown-frames.js';

const text = (value: string) => new TextEncoder().encode(value);

function watching(options: Partial<ConversationOptions> = {}) {
  const changes: Change[] = [];
  const watched = new ConversationBytes({
    name: 'wire',
    change: (change) => changes.push(change),
    ...options,
  });
  return { watched, changes };
}

function errorsOf(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) =>
    change.kind === 'event' && change.event.kind === 'error' ? [change.event.label] : [],
  );
}

function notesOf(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) =>
    change.kind === 'event' && change.event.kind === 'value' ? [change.event.label] : [],
  );
}

describe('the bytes of every recorded conversation', () => {
  test.each(conversationNames())('%s are its frames, as far as they are frames', (name) => {
    const recorded = conversation(name);
    for (const direction of directions) {
      const { watched, changes } = watching();
      watched.bytes(0, roleOf(direction), recorded.bytes[direction]);
      expect(shownFrames(changes).map(({ bytes }) => bytes)).toEqual(
        framesOf(recorded, direction).map(({ length }) => length),
      );
      const refusal = refusalOf(recorded, direction);
      watched.end(1, undefined);
      const places = errorsOf(changes).filter((label) => label.startsWith('Byte '));
      expect(places.map((label) => Number(/^Byte (\d+) /.exec(label)?.[1]))).toEqual(
        refusal === undefined ? [] : [refusal.offset],
      );
    }
  });

  test.each([
    'amdump.3',
    'amrecover-gnutar.2',
    'edge-first_garbage_text.1',
    'edge-first_garbage_binary.1',
    'edge-oversize_while_service.1',
  ])('%s is told the same however it is cut', (name) => {
    const { bytes } = conversation(name);
    // One side after the other, so that the order is that of the bytes.
    const told = (cuts: readonly number[]): readonly Change[] => {
      const { watched, changes } = watching();
      for (const direction of directions) {
        const ends = [
          ...cuts.map((cut) => cut % (bytes[direction].length + 1)),
          bytes[direction].length,
        ].sort((a, b) => a - b);
        ends.forEach((end, index) => {
          watched.bytes(0, roleOf(direction), bytes[direction].subarray(ends[index - 1] ?? 0, end));
        });
      }
      watched.end(0, undefined);
      return changes;
    };
    const whole = told([]);
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { maxLength: 40 }), (cuts) => {
        expect(told(cuts)).toEqual(whole);
      }),
      { numRuns: 60 },
    );
    expect(
      told(
        Array.from(
          { length: Math.min(2_000, Math.max(bytes.c2s.length, bytes.s2c.length)) },
          (_, at) => at,
        ),
      ),
    ).toEqual(whole);
  });
});

describe('the payloads', () => {
  test('keep the front that was asked for, when a long one comes in pieces', () => {
    const payload = Uint8Array.from({ length: 30_000 }, (_, at) => at % 251);
    const frame = frameBytes(10_000, payload);
    for (const preview of [3, 20_000]) {
      const { watched, changes } = watching({ preview });
      for (let at = 0; at < frame.length; at += 1_001)
        watched.bytes(0, 'target', frame.subarray(at, at + 1_001));
      expect(chunksOf(changes)).toEqual([
        { bytes: 30_000, count: undefined, preview: payload.slice(0, preview) },
      ]);
    }
  });

  test('of one stream in one chunk are one event with `joins`, and others come between', () => {
    const { watched, changes } = watching({ preview: 1, joins: true });
    const frames = (...letters: string[]) =>
      Buffer.concat(
        letters.map((letter) => frameBytes(letter === 'm' ? 10_001 : 10_000, letter.repeat(9))),
      );
    watched.bytes(0, 'target', frames('a', 'b', 'c', 'm', 'd'));
    watched.bytes(0, 'target', frames('e', 'f'));
    watched.bytes(1, 'target', frames('g').subarray(0, 12));
    watched.bytes(2, 'target', Buffer.concat([frames('g').subarray(12), frames('h')]));
    expect(chunksOf(changes)).toEqual([
      { bytes: 27, count: 3, preview: text('a') },
      { bytes: 9, count: undefined, preview: text('m') },
      { bytes: 9, count: undefined, preview: text('d') },
      { bytes: 18, count: 2, preview: text('e') },
      { bytes: 18, count: 2, preview: text('g') },
    ]);
  });

  test('that are joined are emitted before the close after them', () => {
    const { watched, changes } = watching({ joins: true });
    watched.bytes(
      0,
      'target',
      Buffer.concat([frameBytes(10_000, 'one'), frameBytes(10_000, 'two'), frameBytes(10_000, '')]),
    );
    expect(
      changes.flatMap((change) => (change.kind === 'event' ? [change.event.label] : [])),
    ).toEqual(['2 chunks, 6 B', 'close']);
  });
});

function chunksOf(changes: readonly Change[]) {
  return changes.flatMap((change) => {
    if (change.kind !== 'event' || change.event.kind !== 'chunk') return [];
    const { bytes, count, preview } = change.event;
    return [{ bytes, count, preview }];
  });
}

describe('bytes that are no frames', () => {
  test.each([
    [
      'an HTTP server',
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      /TEXT_IN_CHANNEL Byte 0 of the target: .*HTTP server/,
    ],
    [
      'an SSH server',
      'SSH-2.0-OpenSSH_9.2\r\n',
      /TEXT_IN_CHANNEL Byte 0 of the target: .*SSH server/,
    ],
    [
      'TLS records',
      '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001',
      /FRAME_TOO_LARGE Byte 0 of the target: .*TLS/,
    ],
    [
      'a length over the limit',
      '\u0000\u0040\u0000\u0001\u0000\u0000\u0000\u0001',
      /FRAME_TOO_LARGE Byte 0 of the target: .*4194305/,
    ],
  ])('%s are named, with the place', (_, sent, expected) => {
    const { watched, changes } = watching();
    for (const byte of Buffer.from(sent, 'latin1')) watched.bytes(3, 'target', Uint8Array.of(byte));
    const errors = changes.flatMap((change) =>
      change.kind === 'event' && change.event.kind === 'error'
        ? [`${change.event.code} ${change.event.label}`]
        : [],
    );
    expect(errors).toEqual([expect.stringMatching(expected)]);
  });

  test('end one direction only, and what follows is counted', () => {
    const { watched, changes } = watching();
    watched.bytes(0, 'target', frameBytes(1, packetBytes(3)));
    watched.bytes(1, 'target', text('not a frame at all'));
    watched.bytes(2, 'target', new Uint8Array(1_000));
    watched.bytes(3, 'initiator', frameBytes(1, packetBytes(3)));
    watched.end(4, undefined);
    expect(errorsOf(changes)[0]).toMatch(/^Byte 10 of the target: /);
    expect(shownFrames(changes).map(({ direction }) => direction)).toEqual(['in', 'out']);
    expect(notesOf(changes)).toEqual(['1018 bytes of the target from byte 10 on are no frames']);
  });

  test.each([
    ['a header', frameBytes(7, 'abc').subarray(0, 5), /^Byte 10 of the target: .*header, 5 of 8/],
    [
      'a payload',
      frameBytes(7, 'abc').subarray(0, 9),
      /^Byte 10 of the target: .*1 of 3 payload bytes/,
    ],
  ])('that end inside %s are told with the place', (_, rest, expected) => {
    const { watched, changes } = watching();
    watched.bytes(0, 'target', frameBytes(1, packetBytes(3)));
    watched.bytes(1, 'target', rest);
    watched.end(2, 'target');
    expect(errorsOf(changes)).toEqual([expect.stringMatching(expected)]);
    watched.bytes(3, 'target', text('late'));
    watched.end(4, undefined);
    expect(errorsOf(changes)).toHaveLength(2);
  });

  test('cannot make it throw, nor tell more than one error a direction', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 64 })), { maxLength: 40 }),
        (chunks) => {
          const { watched, changes } = watching();
          for (const [isInitiator, chunk] of chunks)
            watched.bytes(0, isInitiator ? 'initiator' : 'target', chunk);
          watched.end(1, undefined);
          expect(
            errorsOf(changes).filter((label) => label.startsWith('Byte ')).length,
          ).toBeLessThanOrEqual(2);
        },
      ),
    );
  });
});
