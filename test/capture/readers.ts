import type { Role } from '../../src/wire/role.js';
import {
  AmandaCapture,
  type AmandaCaptureOptions,
  type AmandaEvent,
} from '../../src/capture/amanda-capture.js';
import { captureReader } from '../../src/capture/saved-capture.js';
import type { CapturedPacket } from '../../src/capture/captured-packet.js';
import { cutAt } from '../fuzz/bytes.js';

/** What a reader finds in a file, and what it stops with. */
export interface Found {
  readonly packets: readonly CapturedPacket[];
  readonly error: unknown;
}

/** Reads a capture that arrives in pieces; what the reader throws is a result, too. */
export function readCapture(file: Uint8Array, places: readonly number[] = []): Found {
  const packets: CapturedPacket[] = [];
  const reader = captureReader(file);
  if (reader === undefined) return { packets, error: 'no capture' };
  try {
    for (const piece of cutAt(file, places)) reader.push(piece, (packet) => packets.push(packet));
    reader.end();
    return { packets, error: undefined };
  } catch (error) {
    return { packets, error };
  }
}

/** One connection as it was put together. */
export interface Told {
  readonly initiator: string;
  readonly target: string;
  readonly isWhole: boolean;
  readonly bytes: Readonly<Record<Role, Buffer>>;
  /**
   * Everything but bytes: `open`, `end initiator`, `gap target at 5 of 7: why`, `reset target`,
   * `over`.
   */
  readonly said: readonly string[];
}

/** What the connections of a capture said, in the order of their numbers. */
export function connectionsOf(
  packets: readonly CapturedPacket[],
  options: AmandaCaptureOptions = {},
): readonly Told[] {
  const events: AmandaEvent[] = [];
  const capture = new AmandaCapture((event) => events.push(event), options);
  for (const packet of packets) capture.push(packet);
  capture.end();
  return [...new Set(events.map(({ number }) => number))].map((number) =>
    told(events.filter((event) => event.number === number)),
  );
}

function told(events: readonly AmandaEvent[]): Told {
  const first = events[0];
  if (first?.kind !== 'open') throw new Error('A connection is told before it is opened.');
  const { initiator, target, isWhole } = first.connection;
  const bytes = (sender: Role): Buffer =>
    Buffer.concat(
      events.flatMap((event) =>
        event.kind === 'bytes' && event.sender === sender ? [event.bytes] : [],
      ),
    );
  return {
    initiator: `${initiator.address}:${initiator.port}`,
    target: `${target.address}:${target.port}`,
    isWhole,
    bytes: { initiator: bytes('initiator'), target: bytes('target') },
    said: events.filter(({ kind }) => kind !== 'bytes').map(say),
  };
}

function say(event: AmandaEvent): string {
  if (event.kind === 'gap')
    return `gap ${event.sender} at ${event.offset} of ${event.missing ?? '?'}: ${event.why}`;
  return event.kind === 'open' || event.kind === 'over'
    ? event.kind
    : `${event.kind} ${'sender' in event ? event.sender : ''}`;
}
