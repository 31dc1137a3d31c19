import { uint16, uint32, type ByteOrder } from './numbers.js';

/** An interface of a pcapng section. */
export interface Interface {
  readonly link: number;
  /** The most bytes kept of each packet; Infinity for all. */
  readonly snapLength: number;
  /** Converts a time of this interface, in two halves, to milliseconds since 1970. */
  readonly milliseconds: (high: number, low: number) => number;
}

const OPTIONS_AT = 8;
const options = { end: 0, resolution: 9, offset: 14 } as const;

/** Reads an interface description; undefined when it is too short. Ignores invalid options. */
export function readInterface(body: Uint8Array, order: ByteOrder): Interface | undefined {
  if (body.length < OPTIONS_AT) return undefined;
  let perMillisecond = 1e3;
  let offset = 0;
  for (let at = OPTIONS_AT; at + 4 <= body.length;) {
    const code = uint16(body, at, order);
    const size = uint16(body, at + 2, order);
    const value = body.subarray(at + 4, at + 4 + size);
    if (code === options.end || value.length < size) break;
    if (code === options.resolution && size === 1) perMillisecond = unitsOf(value[0] ?? 0);
    if (code === options.offset && size === 8) offset = secondsOf(value, order) * 1e3;
    at += 4 + Math.ceil(size / 4) * 4;
  }
  const snapLength = uint32(body, 4, order);
  return {
    link: uint16(body, 0, order),
    snapLength: snapLength === 0 ? Infinity : snapLength,
    milliseconds: (high, low) => (high * 0x1_0000_0000 + low) / perMillisecond + offset,
  };
}

/** The units in a millisecond: a power of ten, or of two when the first bit is set. */
function unitsOf(resolution: number): number {
  return ((resolution & 0x80) === 0 ? 10 ** resolution : 2 ** (resolution & 0x7f)) / 1e3;
}

function secondsOf(value: Uint8Array, order: ByteOrder): number {
  const [front, back] = [uint32(value, 0, order), uint32(value, 4, order)];
  const [high, low] = order === 'big' ? [front, back] : [back, front];
  return (high | 0) * 0x1_0000_0000 + low;
}
