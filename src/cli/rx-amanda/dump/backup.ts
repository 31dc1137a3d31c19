import { filter, identity, map, tap, type Observable } from 'rxjs';
import { describePeer } from '../../../transport/channel.js';
import type { Connection } from '../../../connection/connection.js';
import { dump } from '../../../initiator/dump.js';
import type { DumpEvent, DumpOutcome } from '../../../initiator/receive-dump.js';
import type { Dump } from '../../../initiator/sendbackup.js';
import { formatChecksum, type Checksum } from '../../../wire/crc32c.js';
import type { Dle } from '../../../wire/dle/dle.js';
import { DUMP_HEADER_BYTES } from '../../../wire/dumpfile.js';
import { dumpToFile } from './dump-file.js';
import { dumpToStream } from './dump-stream.js';
import type { Output } from '../output.js';
import { formatRate, progressInterval } from '../progress-line.js';
import { showProgress } from './progress.js';
import { withSideFiles, type SideFiles, type SideSinks } from './side-files.js';
import type { ProcessEnvironment } from '../environment.js';
import { timingFor, type TargetChoice } from '../target.js';
import { count, formatBytes, formatTime } from '../../terminal/units.js';

/** The destination that is standard output. */
export const STDOUT = '-';

/** A dump to make. */
export interface BackupPlan {
  /** The target's host name, for the request and for the header of the dump file. */
  readonly host: string;
  readonly dle: Dle;
  /** The path of the dump file, or {@link STDOUT}. */
  readonly destination: string;
  /** Whether an existing file may be replaced. */
  readonly overwrite: boolean;
  /**
   * Milliseconds for a reply, and for silence during the dump; undefined for Amanda's own times.
   */
  readonly timeout?: number | undefined;
  /** The installation's settings. */
  readonly settings?: TargetChoice['settings'];
  /** The files for the index and the state; default none. */
  readonly sideFiles?: SideFiles;
  /** Whether its progress is shown; several dumps would overwrite one line. Default true. */
  readonly showsProgress?: boolean;
}

/** A complete dump. */
export interface Backup {
  readonly plan: BackupPlan;
  readonly dump: Dump;
  readonly outcome: DumpOutcome;
  readonly milliseconds: number;
}

/**
 * Makes a dump over the first connection, with a progress line. Emits it when the file has its
 * name. Errors as `dumpToFile` does.
 */
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
    plan.showsProgress === false ? identity : showProgress(output, environment),
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

/** The report as a JSON document. */
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
    // All checksums agree, or the dump would have failed.
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

/** The report as lines for a person. */
export function backupLines({
  plan,
  dump: { dle, level, reply },
  outcome,
  milliseconds,
}: Backup): string[] {
  const { bytes, files, directories, checksum, client, strange, strangeCount } = outcome;
  const name = plan.destination === STDOUT ? 'standard output' : plan.destination;
  const agreement =
    client === undefined
      ? '(CRC-32C:bytes); the target sent none to compare'
      : '(CRC-32C:bytes), the same at both ends';
  const what =
    dle.diskdevice === undefined || dle.diskdevice === dle.disk
      ? dle.disk
      : `${dle.disk} (${dle.diskdevice})`;
  return [
    `${what}, level ${level}, of ${describePeer(reply.connection.peer)} is backed up.`,
    `  file    ${name}, ${formatBytes(DUMP_HEADER_BYTES + bytes)}`,
    `  CRC     ${checksum} ${agreement}`,
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

/** `YYYYMMDDhhmmss` in local time, as Amanda names its runs. */
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
