import { PcapWriter } from '../../../capture/pcap-writer.js';
import { recordingHeader, recordingLine } from '../../../tap/recording-file.js';
import type { TapChange } from '../../../tap/tap-change.js';
import type { TapEvent } from '../../../tap/tap-event.js';

/** Turns the events of a tap into the bytes of a file. */
export interface TapSink {
  /** The front of the file. */
  begin(): readonly Uint8Array[];
  event(event: TapEvent): readonly Uint8Array[];
  change(change: TapChange): readonly Uint8Array[];
}

/** Makes a recording: the steps of the diagrams, with the front of each payload. */
export function tapJson(): TapSink {
  return {
    begin: () => [Buffer.from(recordingHeader)],
    event: () => [],
    change: (change) => [Buffer.from(recordingLine(change))],
  };
}

/** Makes a capture: bytes, ends and resets, with the addresses of both ends. */
export function tapPcap(): TapSink {
  const writer = new PcapWriter();
  return {
    begin: () => writer.begin(),
    event: (event) => packetsOf(event, writer),
    change: () => [],
  };
}

function packetsOf(event: TapEvent, writer: PcapWriter): readonly Uint8Array[] {
  const { at, connection } = event;
  switch (event.kind) {
    case 'opened': {
      const { address = 'pipe', port = 0 } = event.peer;
      return writer.open(at, connection, {
        initiator: { address, port },
        target: endpoint(event.target),
      });
    }
    case 'bytes':
      return writer.bytes(at, connection, event.sender, event.chunk);
    case 'ended':
      return writer.end(at, connection, event.sender);
    case 'closed':
      // A connection that the tap itself cut has no end in the capture either.
      return event.how === 'stopped' || event.how === 'ended' || !writer.has(connection)
        ? []
        : writer.reset(at, connection, event.by ?? 'target');
  }
}

/** Reads `HOST:PORT`. A program has no port. */
function endpoint(target: string): { readonly address: string; readonly port: number } {
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(target) ?? [];
  return host === undefined ? { address: target, port: 0 } : { address: host, port: Number(port) };
}
