/**
 * Amanda's network layer as RxJS streams.
 *
 *     connect(bsdtcp({ host: 'db1.example.com' }))
 *       .pipe(noop())
 *       .subscribe(({ features }) => console.log(features.names()));
 *
 * Codecs are in `rx-amanda/wire`, pictures in `rx-amanda/diagram`, what a driver of your own needs
 * in `rx-amanda/driver`, and tools for tests in `rx-amanda/testing`. api/ lists every name.
 */

// Connecting: reach a target, ask a service.
export * from './initiator/connect.js';
export * from './initiator/on-connection.js';
export * from './exchange/request.js';
export type { Retry } from './exchange/retries.js';
export { defaultTiming, type Timing } from './exchange/timing.js';

// The usual calls, typed.
export * from './initiator/noop.js';
export * from './initiator/selfcheck.js';
export * from './initiator/sendsize.js';
export * from './initiator/dump.js';
export * from './initiator/sendbackup.js';
export * from './initiator/receive-dump.js';
export * from './initiator/dump-header.js';
export type { DumpInfo } from './initiator/dump-info.js';
export type { BackupMessage } from './initiator/backup-message.js';
export { retryAdvice, type RetryAdvice } from './initiator/retry.js';
export type { CallOptions } from './initiator/call-options.js';

// Restoring: look into a server's index, and read images back from its volumes.
export { index } from './initiator/recover/index-session.js';
export type {
  IndexOptions,
  IndexSession,
  IndexedDisk,
  IndexedPlace,
} from './initiator/recover/index-session.js';
export type { DumpVolume, IndexedDump, IndexedEntry } from './initiator/recover/index-entries.js';
export { findEntries, globMatcher } from './initiator/recover/find-entries.js';
export { restorePlan } from './initiator/recover/restore-plan.js';
export { restoreImage } from './initiator/recover/restore-image.js';
export type {
  ImageSink,
  ImageSinks,
  RestoreImageEvent,
  RestoreImageOptions,
} from './initiator/recover/image-restore.js';
export type { ImageOutcome } from './initiator/recover/image-record.js';

// Diagnosis: why a target does not answer, or lets nothing in.
export { doctor, doctorLocal } from './doctor/doctor.js';
export type { DoctorOptions } from './doctor/doctor-options.js';
export type { LocalDoctorOptions } from './doctor/local/local-facts.js';
export { firstToFix } from './doctor/first-to-fix.js';
export type { Check, CheckGroup, CheckOutcome, CheckStatus } from './doctor/check.js';
export type { FindingKind } from './doctor/finding-kinds.js';

// Accepting: be a target, with services of your own, with Amanda's executables, or with ours.
export * from './target/serve.js';
export { metrics, type Metrics, type MetricsOptions } from './target/metrics.js';
export { channelNames } from './target/channels.js';
export * from './exchange/service.js';
export * from './target/process/process-service.js';
export * from './target/process/amanda-services.js';
export { amandaServiceNames } from './target/process/amanda-service-names.js';
export type { AmandaServiceName } from './target/process/amanda-service-names.js';
export * from './target/services/backup-services.js';
export type * from './target/services/backup-image.js';
export type * from './target/services/backup-entry.js';
export { fileJournal, type DumpJournal } from './target/services/dump-journal.js';
export * from './target/services/tar-archive.js';
export { noopService, unsupportedFeatures } from './target/services/noop-service.js';
export * from './target/services/sendbackup-service.js';
export type { AdmissionOptions } from './target/admission.js';
export type { ExchangeEvent, RequestOutcome } from './exchange/exchange-event.js';
export type { TargetOutcome } from './exchange/target-machine.js';
export type { DumpTools } from './target/services/tar-dump.js';
export type { DumpPermission } from './target/services/dump-request.js';
export type { TerminationOptions } from './target/process/child-process.js';

// Who may ask for what.
export { authorize } from './access/authorize.js';
export type { AccessPolicy, AccessRequest, LocalUser } from './access/authorize.js';
export * from './access/verdict.js';
export type { PeerNameOptions } from './access/peer.js';
export type { NameResolver } from './access/resolver.js';

// The drivers.
export { AMANDA_PORT } from './wire/role.js';
export { bsdtcp, listenBsdtcp } from './drivers/bsdtcp.js';
export type { BsdtcpOptions, ListenBsdtcpOptions } from './drivers/bsdtcp.js';
export { bsdudp, listenBsdudp } from './drivers/datagram/bsdudp.js';
export type { BsdudpOptions, ListenBsdudpOptions } from './drivers/datagram/bsdudp.js';
export { bsd, listenBsd } from './drivers/datagram/bsd.js';
export type { BsdOptions, ListenBsdOptions } from './drivers/datagram/bsd.js';
export type { DatagramDriverOptions } from './drivers/datagram/datagram-driver.js';
export type { PortRange } from './drivers/datagram/stream-listener.js';
export type { DatagramListenerOptions } from './drivers/datagram/datagram-listener.js';
export type { ListenTcpOptions } from './transport/tcp-listen.js';
export * from './drivers/local.js';
export * from './drivers/ssh.js';
export * from './drivers/rsh.js';
export { SSL_PORT, listenSsl, ssl } from './drivers/ssl/ssl.js';
export type { AcceptSslOptions, CertificateOptions } from './drivers/ssl/ssl.js';
export type { ListenSslOptions, SslOptions } from './drivers/ssl/ssl.js';
export * from './drivers/ssl/ssl-stdio.js';
export { DEFAULT_SSL_DIR, type CertificateFiles } from './access/certificate-files.js';
export type { CertificateRules } from './access/certificates.js';
export type { HandshakeOptions } from './drivers/ssl/ssl-handshake.js';
export { DEFAULT_CLIENT_USERNAME } from './drivers/remote-command.js';
export * from './drivers/stdio.js';
export { memory, type Memory, type MemoryOptions } from './drivers/memory.js';
export type { Driver, Listener } from './drivers/driver.js';

// What a connection consists of.
export type * from './connection/connection.js';
export { describePeer, type Peer, type TlsFacts } from './transport/channel.js';
export type { Flow, Holder, Stall } from './connection/receive-budget.js';
export type { ConnectionOptions } from './connection/options.js';
export type { StreamSource } from './connection/pump.js';
export type { Ends, Stream } from './connection/stream.js';

// Operators on bytes and frames.
export * from './operators/decode-frames.js';
export * from './operators/encode-frames.js';
export * from './operators/lines.js';
export * from './operators/paced.js';
export type { Pull, Pullable, PullEnd } from './operators/pull.js';
export * from './operators/to-readable.js';
export * from './operators/to-writable.js';

// Errors, and the one way to show a text that a peer has sent.
export * from './wire/errors.js';
export { printable } from './wire/text.js';
