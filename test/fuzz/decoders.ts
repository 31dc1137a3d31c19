import { from, of, type OperatorFunction } from 'rxjs';
import { decide } from '../../src/access/amandahosts.js';
import {
  addressesInHosts,
  asksHostsFirst,
  canonicalInHosts,
  nameInHosts,
  parseHosts,
} from '../../src/access/hosts-file.js';
import { fitsFingerprints, parseFingerprints } from '../../src/access/fingerprints.js';
import { AmandaCapture } from '../../src/capture/amanda-capture.js';
import { captureReader } from '../../src/capture/saved-capture.js';
import { collect } from '../../src/cli/config/collect.js';
import { parseDisklist } from '../../src/cli/config/disklist.js';
import { parseStatements } from '../../src/cli/config/statements.js';
import type { Connection } from '../../src/connection/connection.js';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { takeActivation } from '../../src/transport/activation.js';
import { memoryChannels } from '../../src/drivers/memory.js';
import { noTls } from '../../src/drivers/ssl/ssl-errors.js';
import { parseBackupMessage } from '../../src/initiator/backup-message.js';
import { IndexCount } from '../../src/initiator/index-count.js';
import { noop } from '../../src/initiator/noop.js';
import { selfcheck } from '../../src/initiator/selfcheck.js';
import { sendbackup } from '../../src/initiator/sendbackup.js';
import { sendsize } from '../../src/initiator/sendsize.js';
import { ConversationBytes } from '../../src/diagram/conversation-bytes.js';
import type { Diagram } from '../../src/diagram/model.js';
import { Recording } from '../../src/diagram/recording.js';
import { lines } from '../../src/operators/lines.js';
import { readDumpHead } from '../../src/target/services/dump-request.js';
import { withoutFeatures } from '../../src/target/process/announced-features.js';
import { SHARED_MEMORY, shmArguments } from '../../src/target/process/shared-memory.js';
import { parseChecksum } from '../../src/wire/crc32c.js';
import { decodeDatagram } from '../../src/wire/datagram.js';
import { formatDle } from '../../src/wire/dle/dle-format.js';
import { parseDles } from '../../src/wire/dle/dle-parse.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { decodeDumpHeader } from '../../src/wire/dumpfile.js';
import { Features } from '../../src/wire/features.js';
import { FrameDecoder } from '../../src/wire/frame.js';
import { parseOptions } from '../../src/wire/options.js';
import { decodePacket } from '../../src/wire/packet.js';
import { quotedWords, unquote } from '../../src/wire/quote.js';
import { parseReply, refusal, splitConnect } from '../../src/wire/reply.js';
import { parseRequest, parseSecurity, parseService } from '../../src/wire/request.js';
import { printable, decodeText } from '../../src/wire/text.js';
import { withHeader } from '../../src/testing/bytes.js';
import { drawCapture, drawRecording, drawSteps } from './file-decoders.js';
import {
  askPage,
  findInfoEnd,
  readAmandadWords,
  readOverride,
  readPlaces,
  readPort,
  readSshConnection,
  readTarMessages,
  readWords,
} from './word-decoders.js';

/** A recording that is read to its end. */
function readCapture(bytes: Uint8Array): readonly unknown[] {
  const events: unknown[] = [];
  const capture = new AmandaCapture((event) => events.push(event));
  const reader = captureReader(bytes);
  reader?.push(bytes, (packet) => {
    capture.push(packet);
  });
  reader?.end();
  capture.end();
  return events;
}

/** What both directions of a connection carried, watched from beside. */
function watch(bytes: Uint8Array): Diagram {
  const recording = new Recording();
  const watched = new ConversationBytes({
    name: 'wire',
    change: (change) => {
      recording.next(change);
    },
  });
  const half = bytes.length >> 1;
  watched.bytes(1, 'initiator', bytes.subarray(0, half));
  watched.bytes(2, 'target', bytes.subarray(half));
  watched.bytes(3, 'target', bytes);
  watched.end(4, undefined);
  return recording.diagram();
}

/** Reads bytes from a stranger; what it gives is kept while its memory is measured. */
export type Decode = (bytes: Uint8Array) => unknown;

const dle: Dle = { program: 'GNUTAR', disk: '/home', levels: [{ level: 0 }] };
const incoming = (args: Uint8Array) => ({
  service: 'sendbackup',
  arguments: args,
  user: undefined,
  peer: { driver: 'local' },
  handle: 1,
});
const question = {
  host: 'localhost',
  address: '127.0.0.1',
  user: 'backup',
  service: 'noop',
  localUser: 'backup',
  file: '.amandahosts',
};
const certificate = { raw: Buffer.from('no certificate') };
const definitions = {
  dumptypes: new Map([['a', {}]]),
  applications: new Map(),
  scripts: new Map(),
  interfaces: new Set<string>(),
};

/** Everything in this library that reads what comes from outside, by name. */
export const decoders: Readonly<Record<string, Decode>> = {
  frames: (bytes) => {
    const decoder = new FrameDecoder();
    const frames = [...decoder.push(bytes)];
    decoder.end();
    return frames;
  },
  packet: decodePacket,
  request: (bytes) => parseRequest(bytes, { namesUser: true }),
  'request without a user': (bytes) => parseRequest(bytes, { namesUser: false }),
  'SECURITY line': parseSecurity,
  'SERVICE line': parseService,
  reply: parseReply,
  'CONNECT line of a service': splitConnect,
  refusal,
  options: (bytes) => {
    const options = parseOptions(decodeText(bytes));
    return [options, options.features, options.other];
  },
  features: (bytes) => Features.parse(decodeText(bytes)).names(),
  DLEs: (bytes) => parseDles(decodeText(bytes)).map((one) => formatDle(one)),
  'request for a dump': (bytes) => readDumpHead(incoming(bytes)),
  'shared memory': (bytes) => [
    shmArguments(incoming(bytes)),
    withoutFeatures(bytes, [SHARED_MEMORY]),
  ],
  'header of a dump': decodeDumpHeader,
  datagram: decodeDatagram,
  'quoted words': (bytes) => quotedWords(decodeText(bytes)).map(unquote),
  checksum: (bytes) => parseChecksum(decodeText(bytes)),
  'text for people': (bytes) => printable(decodeText(bytes)),
  lines: (bytes) => {
    const out: string[] = [];
    readInPieces(bytes, lines({ maxLength: 65_536 }), out);
    return out;
  },
  'messages of a dump': (bytes) => decodeText(bytes).split('\n').map(parseBackupMessage),
  index: (bytes) => {
    const count = new IndexCount();
    count.push(bytes);
    count.finish();
    return count;
  },
  'answer to noop': (bytes) => answered(bytes, noop()),
  'answer to selfcheck': (bytes) => answered(bytes, selfcheck({ dles: [dle] })),
  'answer to sendsize': (bytes) => answered(bytes, sendsize({ dles: [dle] })),
  'answer to sendbackup': (bytes) => answered(bytes, sendbackup({ dle })),
  '.amandahosts': (bytes) => decide(decodeText(bytes), question),
  'file of hosts': (bytes) => {
    const text = decodeText(bytes);
    const hosts = parseHosts(text);
    return [
      nameInHosts(hosts, '10.0.0.1'),
      addressesInHosts(hosts, 'one.lab'),
      canonicalInHosts(hosts, 'one', 4),
      canonicalInHosts(hosts, 'one', 0),
      asksHostsFirst(text),
    ];
  },
  fingerprints: (bytes) => fitsFingerprints(parseFingerprints(decodeText(bytes)), certificate),
  capture: readCapture,
  'bytes beside the connection': watch,
  'sockets of systemd': (bytes) => {
    const [count, pid] = decodeText(bytes).split('\n');
    const found = takeActivation({ LISTEN_FDS: count, LISTEN_PID: pid });
    if (found.kind === 'unusable') throw found.error;
    return found;
  },
  'no TLS': (bytes) => noTls(bytes, 'peer'),
  configuration: (bytes) =>
    collect(parseStatements(Buffer.from(bytes).toString('latin1'), 'amanda.conf'), {
      scope: 'server',
      overrides: [],
      report: ignore,
      warn: ignore,
    }),
  disklist: (bytes) =>
    parseDisklist(Buffer.from(bytes).toString('latin1'), 'disklist', {
      definitions,
      report: ignore,
      warn: ignore,
      include: () => ({ text: '', path: 'other' }),
    }),
  'a recording, drawn': drawRecording,
  'steps of a recording': drawSteps,
  'a capture, drawn': drawCapture,
  'words of rx-amanda': (bytes) => readWords(decodeText(bytes)),
  'words of rx-amandad': (bytes) => readAmandadWords(decodeText(bytes)),
  'places of a tap': (bytes) => readPlaces(decodeText(bytes)),
  'an overriding setting': (bytes) => readOverride(decodeText(bytes)),
  'port by name': (bytes) => readPort(decodeText(bytes)),
  'what sshd says': (bytes) => readSshConnection(decodeText(bytes)),
  'what tar says': (bytes) => readTarMessages(decodeText(bytes)),
  'end of the description': findInfoEnd,
  'request for the page': (bytes) => askPage(decodeText(bytes)),
};

function ignore(): void {
  // What a configuration says besides is of no use here.
}

/**
 * Gives bytes to an operator in pieces of 1,000; what comes out is collected, and its error thrown.
 */
function readInPieces(
  bytes: Uint8Array,
  operator: OperatorFunction<Uint8Array, string>,
  out: string[],
): void {
  const pieces = Array.from({ length: Math.ceil(bytes.length / 1_000) }, (_, piece) =>
    bytes.subarray(piece * 1_000, (piece + 1) * 1_000),
  );
  let failure: unknown;
  from(pieces)
    .pipe(operator)
    .subscribe({
      next: (line) => out.push(line),
      error: (error: unknown) => {
        failure = error;
      },
    });
  if (failure !== undefined) throw failure;
}

/** What a call makes of a reply with this body, or throws for it. All of it happens at once. */
function answered<T>(body: Uint8Array, call: OperatorFunction<Connection, T>): readonly T[] {
  const [near, far] = memoryChannels();
  const connection = new TcpmConnection(
    near,
    { side: 'initiator', user: undefined },
    { gather: false },
  );
  const values: T[] = [];
  let failure: unknown;
  const asking = of<Connection>(connection)
    .pipe(call)
    .subscribe({
      next: (value) => values.push(value),
      error: (error: unknown) => {
        failure = error;
      },
    });
  far.write([withHeader(1, Uint8Array.of(3, 0)), replyFrame(body)]);
  asking.unsubscribe();
  connection.close();
  if (failure !== undefined) throw failure;
  return values;
}

function replyFrame(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(8 + 1 + body.length);
  new DataView(frame.buffer).setUint32(0, 1 + body.length);
  frame[7] = 1;
  frame[8] = 1;
  frame.set(body, 9);
  return frame;
}
