import type { CaptureReader } from './captured-packet.js';
import { PcapReader } from './pcap.js';
import { PcapngReader } from './pcapng.js';

/** How many bytes {@link captureReader} needs to see. */
export const MAGIC_BYTES = 4;

/** The reader for a capture that begins like this; undefined when it is none. */
export function captureReader(first: Uint8Array): CaptureReader | undefined {
  if (PcapReader.reads(first)) return new PcapReader();
  return PcapngReader.reads(first) ? new PcapngReader() : undefined;
}
