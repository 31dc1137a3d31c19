import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AmandaErrorCode, isAmandaError } from '../../src/wire/errors.js';
import { encodeFrame, type Frame, FrameDecoder } from '../../src/wire/frame.js';
import { decodePacket, encodePacket } from '../../src/wire/packet.js';
import * as captures from '../support/captures.js';
import {
  type InitiatorFrame,
  initiatorCase,
  initiatorCaseNames,
  type InitiatorStep,
} from '../support/initiator-cases.js';

/** The connections on which one side sent something that is no frame, and what we call it. */
const refusals: Readonly<Record<string, AmandaErrorCode>> = {
  'edge-first_garbage_binary.1': 'FRAME_TOO_LARGE',
  'edge-first_garbage_text.1': 'TEXT_IN_CHANNEL',
  'edge-first_oversize.1': 'FRAME_TOO_LARGE',
  'edge-oversize_while_service.1': 'FRAME_TOO_LARGE',
  'initiator-garbage': 'TEXT_IN_CHANNEL',
  'initiator-oversize': 'FRAME_TOO_LARGE',
};

describe.each(captures.conversationNames())('the recorded connection %s', (name) => {
  const conversation = captures.conversation(name);

  it.each(captures.directions)(
    'decodes to the frames of its list, %s, however its bytes are cut',
    (direction) => {
      const bytes = conversation.bytes[direction];
      const listed = captures.framesOf(conversation, direction);
      const refused = captures.refusalOf(conversation, direction) !== undefined;
      const expected: Outcome = {
        frames: listed.map((frame) => ({
          handle: frame.handle,
          payload: captures.payloadOf(conversation, frame),
        })),
        error: refused ? refusals[name] : undefined,
      };
      expect(listed.map(({ offset }) => offset)).toEqual(offsetsOf(listed));
      expectSame(decode([bytes]), expected);
      expectSame(decode(cutAt(bytes, everyByte(bytes))), expected);
      fc.assert(
        fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
          expectSame(decode(cutAt(bytes, cuts)), expected);
        }),
        { numRuns: 25 },
      );
    },
  );

  it.each(captures.directions)(
    'has the payloads that its list shows, and its packets, %s',
    (direction) => {
      for (const listed of captures.framesOf(conversation, direction)) {
        const payload = captures.payloadOf(conversation, listed);
        expect(payload.length).toBe(listed.length);
        if (listed.type === undefined) {
          expect(captures.isShownAs(payload, listed.shown)).toBe(true);
          continue;
        }
        const packet = decodePacket(payload);
        expect(packet.type).toBe(listed.type.startsWith('BOGUS(') ? 'BOGUS' : listed.type);
        expect(captures.isShownAs(packet.body, listed.shown)).toBe(true);
        if (packet.type === 'BOGUS')
          expect(() => encodePacket(packet)).toThrow(
            expect.objectContaining({ code: 'BAD_PACKET' }),
          );
        else expect(hex(encodePacket(packet))).toBe(hex(payload) + (listed.withoutNul ? '00' : ''));
      }
    },
  );

  it.each(captures.directions)('is written by the encoder with the same bytes, %s', (direction) => {
    const { frames } = decode([conversation.bytes[direction]]);
    const framed = conversation.bytes[direction].subarray(
      0,
      captures.refusalOf(conversation, direction)?.offset,
    );
    expect(Buffer.compare(Buffer.concat(frames.map(encodeFrame)), framed)).toBe(0);
  });

  it('is known to be cut short when its last byte is missing', () => {
    for (const direction of captures.directions) {
      const framed = conversation.bytes[direction].subarray(
        0,
        captures.refusalOf(conversation, direction)?.offset,
      );
      if (framed.length === 0) continue;
      const { frames, error } = decode([framed.subarray(0, -1)]);
      expect(error).toBe('TRUNCATED');
      expect(frames.length).toBe(captures.framesOf(conversation, direction).length - 1);
    }
  });
});

describe.each(initiatorCaseNames())('the initiator case %s, rebuilt from its text', (name) => {
  const { steps, command, exitCode, seconds } = initiatorCase(name);

  it('is understood as a whole', () => {
    expect(command).not.toBe('');
    expect(exitCode).toBeGreaterThanOrEqual(0);
    expect(seconds).toBeGreaterThan(0);
    expect(steps.length).toBeGreaterThan(1);
  });

  it('decodes to the frames of its list, in each connection and direction', () => {
    const errors = connectionsOf(steps).map((connection) => {
      const frames = connection.filter(isFrame);
      const bytes = Buffer.concat(connection.map(rebuilt));
      const outcome = decode(cutAt(bytes, [5, 11, 200, 201, 5000]));
      expect(outcome.frames.map(({ handle, payload }) => [handle, payload.length])).toEqual(
        frames.map(({ handle, length }) => [handle, length]),
      );
      outcome.frames.forEach(({ payload }, index) => {
        expectPacket(payload, frames[index]);
      });
      return outcome.error;
    });
    expect(errors.filter((error) => error !== undefined)).toEqual(
      [refusals[`initiator-${name}`]].filter((error) => error !== undefined),
    );
  });
});

describe('the recorded conversations', () => {
  it('are all tested: no file of the captures is left out silently', () => {
    const connections = captures.conversationNames();
    const cases = initiatorCaseNames();
    const pcaps = captures.captureNames('.pcap');
    const accounted = [
      ...[...connections, captures.encryptedConversation].flatMap((name) => [
        `${name}.c2s.bin`,
        `${name}.s2c.bin`,
        `${name}.txt`,
      ]),
      ...cases.map((name) => `initiator-${name}.txt`),
      ...pcaps.flatMap((name) => [`${name}.pcap`, `${name}.txt`]),
    ];
    expect(captures.captureFiles()).toEqual(accounted.sort());
    expect(connections.length).toBe(70);
    expect(cases.length).toBe(71);
    expect(pcaps).toEqual(['bsd-amdump', 'bsdudp-amcheck']);
    console.log(
      `recorded conversations: ${connections.length} connections with frames, ${cases.length} initiator cases from text, ${pcaps.length} of the UDP drivers;` +
        ` decoded as TLS records only: ${captures.encryptedConversation} (encrypted, its keys were not kept)`,
    );
  });

  it('of the ssl driver are TLS records from end to end, in which no frame can be read', () => {
    const listed = captures.captureLines(`${captures.encryptedConversation}.txt`);
    for (const direction of captures.directions) {
      const lengths = listed
        .filter((line) => line.includes(` ${direction} `))
        .map((line) => Number(/len=(\d+)/.exec(line)?.[1]));
      const bytes = captures.captureBytes(`${captures.encryptedConversation}.${direction}.bin`);
      expect(tlsRecordLengths(bytes)).toEqual(lengths);
      expect(decode([bytes])).toEqual({ frames: [], error: 'FRAME_TOO_LARGE' });
    }
  });
});

interface Outcome {
  readonly frames: readonly Frame[];
  readonly error: string | undefined;
}

function decode(chunks: readonly Uint8Array[]): Outcome {
  const decoder = new FrameDecoder();
  const frames: Frame[] = [];
  try {
    for (const chunk of chunks) for (const frame of decoder.push(chunk)) frames.push(frame);
    decoder.end();
  } catch (error) {
    return { frames, error: isAmandaError(error) ? error.code : String(error) };
  }
  return { frames, error: undefined };
}

function expectSame(actual: Outcome, expected: Outcome): void {
  expect(actual.error).toBe(expected.error);
  expect(actual.frames.length).toBe(expected.frames.length);
  actual.frames.forEach(({ handle, payload }, index) => {
    const wanted = expected.frames[index];
    expect(handle).toBe(wanted?.handle);
    // Comparing element by element, as toEqual would, takes seconds for long payloads.
    expect(Buffer.compare(payload, wanted?.payload ?? new Uint8Array(0))).toBe(0);
  });
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((place, index) => bytes.subarray(places[index], place));
}

function everyByte(bytes: Uint8Array): readonly number[] {
  return Array.from(bytes, (_, index) => index);
}

/** Where frames of these lengths begin when each follows the one before it. */
function offsetsOf(listed: readonly captures.ListedFrame[]): readonly number[] {
  let at = 0;
  return listed.map(({ length }) => {
    const offset = at;
    at += 8 + length;
    return offset;
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

type SentStep = Extract<InitiatorStep, { readonly kind: 'frame' | 'bytes' }>;

/** What was sent, connection by connection, each direction by itself. */
function connectionsOf(steps: readonly InitiatorStep[]): readonly (readonly SentStep[])[] {
  const sent = steps.filter(
    (step): step is SentStep => step.kind === 'frame' || step.kind === 'bytes',
  );
  const byLane = new Map<string, SentStep[]>();
  for (const step of sent) {
    const lane = `${step.connection} ${step.direction}`;
    byLane.set(lane, [...(byLane.get(lane) ?? []), step]);
  }
  return [...byLane.values()];
}

function isFrame(step: SentStep): step is Extract<SentStep, { readonly kind: 'frame' }> {
  return step.kind === 'frame';
}

/** The bytes of a step; what its text does not show of a payload is filled with `?`. */
function rebuilt(step: SentStep): Uint8Array {
  if (step.kind === 'bytes') return step.bytes;
  const bytes = Buffer.alloc(8 + step.length, '?');
  bytes.writeUInt32BE(step.length, 0);
  bytes.writeUInt32BE(step.handle, 4);
  expect(step.front?.length ?? 0).toBeLessThanOrEqual(step.length);
  bytes.set(step.front ?? [], 8);
  return bytes;
}

function expectPacket(payload: Uint8Array, frame: InitiatorFrame | undefined): void {
  if (frame?.type === undefined) return;
  const packet = decodePacket(payload);
  expect(packet.type).toBe(frame.type);
  if (payload.at(-1) === 0) expect(hex(encodePacket(packet))).toBe(hex(payload));
}

function tlsRecordLengths(bytes: Uint8Array): readonly number[] {
  const lengths: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const [type = 0, major, , high = 0, low = 0] = bytes.subarray(at, at + 5);
    expect(major).toBe(3);
    expect([20, 21, 22, 23]).toContain(type);
    lengths.push(high * 256 + low);
    at += 5 + high * 256 + low;
  }
  expect(at).toBe(bytes.length);
  return lengths;
}
