import { PcapWriter } from '../../../capture/pcap-writer.js';
import type { TapEvent } from '../../../tap/tap-event.js';
import type { TapSink } from './tap-sink.js';

/** Writes what a tap sees as a capture: bytes, ends and resets, each connection with the addresses of its two ends. */
export function tapPcap(): TapSink {
  const writer = new PcapWriter();
  return {
    begin: () => writer.begin(),
    event: (event) => partsOf(event, writer),
    change: () => [],
  };
}

function partsOf(event: TapEvent, writer: PcapWriter): readonly Uint8Array[] {
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
      // What the tap itself has cut has no end in the capture either.
      return event.how === 'stopped' || event.how === 'ended' || !writer.has(connection)
        ? []
        : writer.reset(at, connection, event.by ?? 'target');
  }
}

/** Of `HOST:PORT`; a program has no port. */
function endpoint(target: string): { readonly address: string; readonly port: number } {
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(target) ?? [];
  return host === undefined ? { address: target, port: 0 } : { address: host, port: Number(port) };
}
