import { Observable } from 'rxjs';
import type { Channel } from '../../src/transport/channel.js';
import { packetTypes } from '../../src/wire/packet.js';
import { splitConnect } from '../../src/wire/reply.js';
import { conversation, type Direction } from '../support/captures.js';
import { framesOf, isStream } from '../support/replay.js';
import type { Script } from '../support/edges.js';
import { factor } from '../fuzz/runs.js';

/**
 * Where a frame lies in the bytes of its direction: from the first byte of its header to the byte
 * after its last.
 */
export interface LaidFrame {
  readonly handle: number;
  readonly payload: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const HEADER = 8;

export function bytesOf({ name }: Script, direction: Direction): Uint8Array {
  return conversation(name).bytes[direction];
}

export function layout(recorded: Script, direction: Direction): readonly LaidFrame[] {
  let start = 0;
  return framesOf(recorded, direction).map(({ frame: { handle, payload } }) => {
    const laid = { handle, payload, start, end: start + HEADER + payload.length };
    start = laid.end;
    return laid;
  });
}

/**
 * Inside what is larger than this only some places are tried in a short run, every so many bytes.
 */
const LARGE = 1_024;
const MARGIN = 48;
const STRIDE = factor > 1 ? 1 : 101;

/**
 * Every place in the bytes of a direction, but in the midst of a large payload only now and then.
 */
export function places(recorded: Script, direction: Direction): readonly number[] {
  return layout(recorded, direction).flatMap(({ start, end, payload }) =>
    Array.from({ length: end - start }, (_, index) => start + index).filter(
      (at) =>
        payload.length <= LARGE ||
        at < start + HEADER + MARGIN ||
        at >= end - MARGIN ||
        at % STRIDE === 0,
    ),
  );
}

/** The bytes with one bit turned over at a place; which one, the place decides. */
export function damagedAt(bytes: Uint8Array, place: number): Uint8Array {
  const damaged = bytes.slice();
  damaged[place] = (damaged[place] ?? 0) ^ (1 << ((place * 5) % 8));
  return damaged;
}

/** The number of each type of packet, by its first byte. */
export function isPacket({ handle, payload }: LaidFrame, type: keyof typeof packetTypes): boolean {
  return !isStream(handle) && payload[0] === packetTypes[type];
}

/** The numbers of the streams that a reply announces. */
export function announced({ payload }: LaidFrame): readonly number[] {
  return (splitConnect(payload.subarray(1))?.connect ?? [])
    .map(({ number }) => number)
    .filter((number) => number > 0);
}

/** A channel that counts who listens to it: to its bytes, and to whether it can take more. */
export function counted(channel: Channel): {
  readonly channel: Channel;
  readonly listeners: () => number;
} {
  let count = 0;
  const watched = <T>(source: Observable<T>): Observable<T> =>
    new Observable((out) => {
      count += 1;
      out.add(() => (count -= 1));
      out.add(source.subscribe(out));
    });
  return {
    channel: {
      peer: channel.peer,
      bytes: watched(channel.bytes),
      drain: watched(channel.drain),
      get isIdle() {
        return channel.isIdle;
      },
      framesApart: channel.framesApart,
      write: (parts) => channel.write(parts),
      pause: () => channel.pause(),
      resume: () => channel.resume(),
      close: () => channel.close(),
      destroy: () => channel.destroy(),
    },
    listeners: () => count,
  };
}
