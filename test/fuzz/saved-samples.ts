import { SavedChanges } from '../../src/tap/saved-changes.js';
import { recordingHeader, recordingLine } from '../../src/tap/recording-file.js';
import { onEthernet, pcap, segmentsOf } from '../capture/packets.js';
import { conversation } from '../support/captures.js';

const names = ['noop.1', 'edge-nak_wrong_user.1', 'edge-stream_quit.1', 'amdump.2'];

/**
 * Conversations over TCP as a sniffer writes them: in order, and with a segment lost, one twice and
 * two the wrong way round.
 */
export const tcpCaptures: readonly Uint8Array[] = names.flatMap((name) => {
  const segments = segmentsOf(conversation(name).bytes, { most: 200 });
  const [first, second, third, ...others] = segments;
  if (first === undefined || second === undefined || third === undefined) return [];
  const disordered = [
    first,
    second,
    ...others.slice(1, 3).toReversed(),
    third,
    third,
    ...others.slice(3),
  ];
  return [segments, disordered].map(
    (some) => new Uint8Array(pcap(some.map((segment, at) => ({ at, bytes: onEthernet(segment) })))),
  );
});

/**
 * The packets of classic captures as pcapng has them: a section, an interface, and a block a
 * packet.
 */
export function pcapngs(classics: readonly Uint8Array[]): readonly Uint8Array[] {
  return classics.flatMap((classic) => {
    const file = Buffer.from(classic);
    if (file.readUInt32LE(0) !== 0xa1b2c3d4) return [];
    const blocks = [
      block(0x0a0d0d0a, Buffer.from('4d3c2b1a01000000ffffffffffffffff', 'hex')),
      block(1, Buffer.from(`${linkOf(file)}000000000000`, 'hex')),
    ];
    for (let at = 24; at + 16 <= file.length;) {
      const kept = file.readUInt32LE(at + 8);
      const packet = Buffer.alloc(20 + Math.ceil(kept / 4) * 4);
      packet.writeUInt32LE(kept, 12);
      packet.writeUInt32LE(file.readUInt32LE(at + 12), 16);
      file.copy(packet, 20, at + 16, at + 16 + kept);
      blocks.push(block(6, packet));
      at += 16 + kept;
    }
    return [new Uint8Array(Buffer.concat(blocks))];
  });
}

function linkOf(file: Buffer): string {
  return file.subarray(20, 22).toString('hex');
}

function block(type: number, body: Uint8Array): Buffer {
  const edge = Buffer.alloc(8);
  edge.writeUInt32LE(type, 0);
  edge.writeUInt32LE(12 + body.length, 4);
  return Buffer.concat([edge, body, edge.subarray(4)]);
}

/** Conversations as a tap keeps them. */
export const recordings: readonly Uint8Array[] = names.map((name) => {
  const lines = [recordingHeader];
  const changes = new SavedChanges((change) => lines.push(recordingLine(change)));
  const { c2s, s2c } = conversation(name).bytes;
  const connection = 1;
  changes.take({
    kind: 'opened',
    connection,
    at: 0,
    from: { name: '127.0.0.1', port: 700 },
    to: { name: 'localhost', port: 10_080 },
    isWhole: true,
  });
  changes.take({ kind: 'bytes', connection, at: 1, sender: 'initiator', bytes: c2s });
  changes.take({ kind: 'bytes', connection, at: 2, sender: 'target', bytes: s2c });
  changes.take({ kind: 'ended', connection, at: 3, sender: 'initiator' });
  changes.take({ kind: 'ended', connection, at: 4, sender: 'target' });
  changes.take({ kind: 'closed', connection, at: 4, isComplete: true });
  return new Uint8Array(Buffer.from(lines.join('')));
});
