/** One packet of a capture. */
export interface CapturedPacket {
  /** Its place in the capture, from 1. */
  readonly number: number;
  /** Milliseconds since 1970, with fractions. */
  readonly at: number;
  /** The LINKTYPE of the bytes; 1 is Ethernet. */
  readonly link: number;
  /** The captured bytes, perhaps fewer than the packet had. */
  readonly bytes: Uint8Array;
}

/** Takes the packets of a capture, in order. */
export type PacketSink = (packet: CapturedPacket) => void;

/**
 * Reads a capture in chunks cut anywhere. Throws `BAD_CAPTURE` at the first damage, after the
 * packets before it; then it is finished.
 */
export interface CaptureReader {
  push(chunk: Uint8Array, sink: PacketSink): void;
  /** The end of the capture. Throws `TRUNCATED` inside a packet. */
  end(): void;
}

/** A larger packet is damage: no capturing program keeps more bytes of one. */
export const MAX_PACKET = 262_144;
