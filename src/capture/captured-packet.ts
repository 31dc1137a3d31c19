/** One packet of a capture. */
export interface CapturedPacket {
  /** Its place in the capture, from 1. */
  readonly number: number;
  /** Milliseconds since 1970, with fractions. */
  readonly at: number;
  /** What the bytes begin with: a LINKTYPE number, 1 for Ethernet. */
  readonly link: number;
  /** What was kept of it; may be fewer bytes than it had. */
  readonly bytes: Uint8Array;
}

/** Takes the packets of a capture in their order. */
export type PacketSink = (packet: CapturedPacket) => void;

/**
 * Reads a capture that comes in chunks cut anywhere. Errors with `BAD_CAPTURE` where it cannot be understood any more, behind the
 * packets before that place; it is over then.
 */
export interface CaptureReader {
  push(chunk: Uint8Array, sink: PacketSink): void;
  /** Says that no more bytes come. Errors with `TRUNCATED` when that is inside a packet. */
  end(): void;
}

/** A packet that announces more bytes is damage: no program that captures keeps more of one. */
export const MAX_PACKET = 262_144;
