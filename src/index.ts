/**
 * Amanda's network layer as RxJS streams.
 *
 *     connect(bsdtcp({ host: 'db1.example.com' }))
 *       .pipe(noop())
 *       .subscribe(({ features }) => console.log(features.names()));
 */

// Connecting: reach a target, ask a service.
export { connect, type ConnectOptions } from './initiator/connect.js';
export {
  request,
  type Reply,
  type RequestOptions,
  type ServiceRequest,
} from './exchange/request.js';
export { defaultTiming, type Timing } from './exchange/timing.js';

// What most ask for, typed.
export { noop, type Noop } from './initiator/noop.js';
export {
  selfcheck,
  isProblem,
  severities,
  type Finding,
  type SelfcheckOptions,
} from './initiator/selfcheck.js';
export {
  sendsize,
  type Estimate,
  type EstimateAnswer,
  type SendsizeOptions,
} from './initiator/sendsize.js';
export { dump } from './initiator/dump.js';
export { sendbackup, type Dump, type SendbackupOptions } from './initiator/sendbackup.js';
export {
  receiveDump,
  type DumpEvent,
  type DumpOutcome,
  type DumpProgress,
  type DumpSinks,
  type ReceiveDumpOptions,
  type Sink,
} from './initiator/receive-dump.js';
export { dumpHeader, type DumpHeaderOptions } from './initiator/dump-header.js';
export type { DumpInfo } from './initiator/dump-info.js';
export type { BackupMessage } from './initiator/backup-message.js';
export { retryAdvice, type RetryAdvice } from './initiator/retry.js';
export type { CallOptions } from './initiator/options.js';

// Accepting: be a target, with services of your own, with Amanda's executables, or with ours.
export {
  serve,
  serveConnection,
  type ServeOptions,
  type ServiceEvent,
  type ServiceMap,
} from './target/serve.js';
export type { AdmissionOptions } from './target/admission.js';
export type { ExchangeEvent } from './exchange/exchange-event.js';
export type { TargetOutcome } from './exchange/target-machine.js';
export {
  reply,
  partialReply,
  type IncomingRequest,
  type ReplyParts,
  type Service,
  type ServiceReply,
  type StreamHandler,
} from './exchange/service.js';
export { processService, type ProcessServiceOptions } from './target/process/process-service.js';
export {
  amandaServiceNames,
  type AmandaServiceName,
} from './target/process/amanda-service-names.js';
export { amandaServices, type AmandaServicesOptions } from './target/process/amanda-services.js';
export {
  backupServices,
  type BackupImage,
  type BackupServices,
  type BackupServicesOptions,
  type FindImage,
} from './target/services/backup-services.js';
export {
  tarArchive,
  type ArchiveFile,
  type TarArchiveOptions,
} from './target/services/tar-archive.js';
export { noop as noopService } from './target/services/noop.js';
export {
  sendbackup as sendbackupService,
  type SendbackupOptions as SendbackupServiceOptions,
} from './target/services/sendbackup.js';
export type { DumpPermission } from './target/services/dump-request.js';
export type { Patience } from './target/process/reap.js';

// Who may ask for what.
export {
  authorize,
  type AccessPolicy,
  type AccessRequest,
  type LocalUser,
} from './access/authorize.js';
export { allowed, refused, type Allowed, type Refused, type Verdict } from './access/verdict.js';
export type { PeerNameOptions } from './access/peer.js';
export type { NameResolver } from './access/resolver.js';

// The drivers.
export {
  bsdtcp,
  listenBsdtcp,
  AMANDA_PORT,
  type BsdtcpOptions,
  type ListenBsdtcpOptions,
} from './drivers/bsdtcp.js';
export {
  bsdudp,
  listenBsdudp,
  type BsdudpOptions,
  type ListenBsdudpOptions,
} from './drivers/datagram/bsdudp.js';
export { bsd, listenBsd, type BsdOptions, type ListenBsdOptions } from './drivers/datagram/bsd.js';
export { local, DEFAULT_AMANDAD, type LocalOptions } from './drivers/local.js';
export { ssh, type SshOptions } from './drivers/ssh.js';
export { rsh, type RshOptions } from './drivers/rsh.js';
export {
  ssl,
  listenSsl,
  SSL_PORT,
  type AcceptSslOptions,
  type CertificateOptions,
  type ListenSslOptions,
  type SslOptions,
} from './drivers/ssl/ssl.js';
export { listenSslStdio } from './drivers/ssl/ssl-stdio.js';
export { DEFAULT_SSL_DIR, type CertificateFiles } from './access/certificate-files.js';
export type { CertificateRules } from './access/certificates.js';
export type { HandshakeOptions } from './drivers/ssl/ssl-handshake.js';
export { DEFAULT_CLIENT_USERNAME } from './drivers/remote-command.js';
export { listenStdio, type StdioOptions } from './drivers/stdio.js';
export { memory, type Memory, type MemoryOptions } from './drivers/memory.js';
export type { Driver, Listener } from './drivers/driver.js';

// For drivers of your own.
export { overChannel } from './drivers/over-channel.js';
export { StreamChannel, type ByteStreams } from './transport/stream-channel.js';
export { wrapPayloads, type PayloadWrapping } from './drivers/wrapped-channel.js';

// What a connection consists of.
export type { Connection, Onlooker, ProtocolHandle } from './connection/connection.js';
export {
  describePeer,
  type Channel,
  type ChannelMemory,
  type Peer,
  type TlsFacts,
} from './transport/channel.js';
export type { Flow, Holder, Stall } from './connection/flow.js';
export type { ConnectionOptions } from './connection/options.js';
export type { StreamSource } from './connection/pump.js';
export type { Ends, Stream } from './connection/stream.js';
export { TcpmConnection, type Role } from './connection/tcpm-connection.js';

// Operators on bytes and frames.
export { decodeFrames } from './operators/decode-frames.js';
export { encodeFrames } from './operators/encode-frames.js';
export { lines, type LinesOptions } from './operators/lines.js';
export { paced, type PacedOptions } from './operators/paced.js';
export type { Pull, Pullable, PullEnd } from './operators/pull.js';
export { toReadable } from './operators/to-readable.js';
export { toWritable } from './operators/to-writable.js';

// Pictures: record what happens on a connection, draw it.
export { record, recordConnection, toDiagram, type RecordOptions } from './diagram/record.js';
export { Recording, type RecordingOptions } from './diagram/recording.js';
export {
  Conversation,
  type ConversationError,
  type ConversationOptions,
  type Side,
} from './diagram/conversation.js';
export { ConversationBytes } from './diagram/conversation-bytes.js';
export { condense } from './diagram/condense.js';
export { toSvg, type SvgOptions } from './diagram/svg/svg.js';
export { toText, type TextOptions } from './diagram/text/text.js';
export type { Change, LaneStart } from './diagram/change.js';
export type {
  Diagram,
  Direction,
  Happening,
  Lane,
  LaneEvent,
  LaneKind,
  LegendEntry,
  Period,
  Span,
  SpanKind,
} from './diagram/model.js';

// Errors: one class, told apart by its code.
export {
  AmandaError,
  isAmandaError,
  type AmandaErrorCode,
  type AmandaErrorContext,
} from './wire/errors.js';

// The bytes: frames, packets, datagrams.
export { HEADER_BYTES } from './wire/frame-header.js';
export {
  FrameDecoder,
  encodeFrame,
  MAX_PAYLOAD,
  type DecodeOptions,
  type Frame,
  type FrameSink,
} from './wire/frame.js';
export {
  decodePacket,
  encodePacket,
  packet,
  packetText,
  packetTypes,
  type Packet,
  type PacketType,
} from './wire/packet.js';
export { decodeDatagram, encodeDatagram, MAX_DATAGRAM, type Datagram } from './wire/datagram.js';

// The text: requests, replies, features, DLEs.
export {
  encodeRequest,
  parseRequest,
  parseSecurity,
  parseService,
  type ParsedRequest,
  type RequestBody,
  type RequestSecurity,
} from './wire/request.js';
export {
  formatConnect,
  parseReply,
  refusal,
  splitConnect,
  type AnnouncedStream,
  type ReplyBody,
  type ServiceConnect,
} from './wire/reply.js';
export {
  Options,
  formatOptions,
  parseOptions,
  type Option,
  type OptionFields,
} from './wire/options.js';
export { Features, featureNames, type FeatureName } from './wire/features.js';
export {
  formatDle,
  parseDles,
  type Dle,
  type DleCompression,
  type DleDatapath,
  type DleEncryption,
  type DleLevel,
  type DlePlugin,
  type DleProperty,
  type DleScript,
  type DleSelection,
  type Element as DleElement,
  type EstimateMethod,
} from './wire/dle.js';
export { quote, quotedWords, unquote } from './wire/quote.js';
export { printable } from './wire/text.js';

// The dump file.
export {
  decodeDumpHeader,
  encodeDumpHeader,
  DUMP_HEADER_BYTES,
  type DumpFileType,
  type DumpHeader,
} from './wire/dumpfile.js';
export { crc32c, formatChecksum, parseChecksum, type Checksum } from './wire/crc32c.js';
