import { filter, map, tap, type Observable } from 'rxjs';
import { describePeer } from '../../../transport/channel.js';
import type { Connection } from '../../../connection/connection.js';
import { dump } from '../../../initiator/dump.js';
import type { DumpEvent, DumpOutcome } from '../../../initiator/receive-dump.js';
import type { Dump } from '../../../initiator/sendbackup.js';
import { formatChecksum, type Checksum } from '../../../wire/crc32c.js';
import type { Dle } from '../../../wire/dle.js';
import { DUMP_HEADER_BYTES } from '../../../wire/dumpfile.js';
import { dumpToFile } from './dump-file.js';
import { dumpToStream } from './dump-stream.js';
import type { Output } from '../output.js';
import { formatRate, progressInterval, showProgress } from './progress.js';
import { withSideFiles, type SideFiles, type SideSinks } from './side-files.js';
import type { ProcessEnvironment } from '../environment.js';
import { timingFor, type TargetChoice } from '../target.js';
import { count, formatBytes, formatTime } from '../../terminal/units.js';

/** Where a dump goes when it is standard output. */
export const STDOUT = '-';

/** One dump to make. */
export interface BackupPlan {
  /** The name of the target's host, for the request and for the header of the dump file. */
  readonly host: string;
  readonly dle: Dle;
  /** Name of the dump file, or {@link STDOUT}. */
  readonly destination: string;
  /** Whether a file of that name may be replaced. */
  readonly overwrite: boolean;
  /** Milliseconds for an answer, and for silence in the dump; undefined for Amanda's own times. */
  readonly timeout?: number | undefined;
  /** What the installation's configuration says. */
  readonly settings?: TargetChoice['settings'];
  /** Names of the files for the index and the state; default none. */
  readonly sideFiles?: SideFiles;
}

/** A dump that is whole. */
export interface Backup {
  readonly plan: BackupPlan;
  readonly dump: Dump;
  readonly outcome: DumpOutcome;
  readonly milliseconds: number;
}

/** Makes a dump of the first connection, with a progress line; emits it once the file has its name. Errors as `dumpToFile` does. */
export function backUp(
  connections: Observable<Connection>,
  plan: BackupPlan,
  output: Output,
  environment: ProcessEnvironment,
): Observable<Backup> {
  const { host, dle, destination, overwrite, timeout, settings, sideFiles = {} } = plan;
  const silence = timeout ?? (settings?.dtimeout && settings.dtimeout.value * 1000);
  const started = performance.now();
  const options = {
    host,
    datestamp: timestamp(new Date()),
    progressInterval: progressInterval(environment),
    ...(silence === undefined ? {} : { dataTimeout: silence }),
  };
  const receive = (sinks: SideSinks) =>
    destination === STDOUT
      ? dumpToStream(environment.stdout, { name: 'standard output', sinks, ...options })
      : dumpToFile({ path: destination, overwrite, sinks, ...options });
  let begun: Dump | undefined;
  return connections.pipe(
    dump({ dle, options: { hostname: host }, ...timingFor(timeout, settings) }),
    withSideFiles(sideFiles, overwrite, receive),
    showProgress(output, environment),
    tap((event) => {
      if (event.kind === 'started') begun = event.dump;
    }),
    filter((event): event is Extract<DumpEvent, { kind: 'done' }> => event.kind === 'done'),
    map(({ outcome }) => {
      if (begun === undefined) throw new Error('A dump ended that never began.');
      return { plan, dump: begun, outcome, milliseconds: performance.now() - started };
    }),
  );
}

/** The report as a document. */
export function backupDocument({
  plan,
  dump: { dle, level, reply },
  outcome,
  milliseconds,
}: Backup): object {
  const { bytes, files, directories, kind, checksum, client, native, strange, strangeCount } =
    outcome;
  return {
    file: plan.destination,
    peer: reply.connection.peer,
    disk: dle.disk,
    device: dle.diskdevice ?? dle.disk,
    level,
    result: kind,
    bytes,
    // A dump whose checksums differ is no backup, so what there is to compare agrees.
    checksum: { received: checksum, client: checksumText(client), native: checksumText(native) },
    index: dle.index === true ? { files, directories } : null,
    strange,
    strangeCount,
    milliseconds: Math.round(milliseconds),
  };
}

function checksumText(checksum: Checksum | undefined): string | null {
  return checksum === undefined ? null : formatChecksum(checksum.crc, checksum.bytes);
}

/** The report for a person. */
export function backupLines({
  plan,
  dump: { dle, level, reply },
  outcome,
  milliseconds,
}: Backup): string[] {
  const { bytes, files, directories, checksum, client, strange, strangeCount } = outcome;
  const what =
    dle.diskdevice === undefined || dle.diskdevice === dle.disk
      ? dle.disk
      : `${dle.disk} (${dle.diskdevice})`;
  return [
    `${what}, level ${level}, of ${describePeer(reply.connection.peer)} is backed up.`,
    `  file    ${plan.destination === STDOUT ? 'standard output' : plan.destination}, ${formatBytes(DUMP_HEADER_BYTES + bytes)}`,
    `  CRC     ${checksum} ${client === undefined ? '(CRC-32C:bytes); the target sent none to compare' : '(CRC-32C:bytes), the same at both ends'}`,
    ...(dle.index === true
      ? [`  index   ${count(files, 'file')}, ${count(directories, 'folder')}`]
      : []),
    `  time    ${formatTime(milliseconds)}, ${formatRate(bytes, milliseconds)}`,
    ...strange.map((line) => `  look at ${line}`),
    ...(strangeCount > strange.length
      ? [`  look at … and ${strangeCount - strange.length} more such lines`]
      : []),
  ];
}

/** `YYYYMMDDhhmmss`, local time, as Amanda names its runs. */
function timestamp(date: Date): string {
  const parts = [
    date.getFullYear(),
    date.getMonth() + 1,
    date.getDate(),
    date.getHours(),
    date.getMinutes(),
    date.getSeconds(),
  ];
  return parts.map((part) => String(part).padStart(2, '0')).join('');
}
