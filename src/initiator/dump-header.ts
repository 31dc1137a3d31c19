import { AmandaError } from '../wire/errors.js';
import { formatDle } from '../wire/dle-format.js';
import { encodeDumpHeader, type DumpHeader } from '../wire/dumpfile.js';
import { clientCompression, type DumpInfo } from './dump-info.js';
import type { DumpOutcome } from './dump-outcome.js';
import type { Dump } from './sendbackup.js';

export interface DumpHeaderOptions {
  /** `YYYYMMDDhhmmss`, the start of the run. */
  readonly datestamp: string;
  /** The name of the target's host. */
  readonly host: string;
}

/**
 * The 32 KiB in front of a dump in a file, as Amanda's dumper fills them.
 *
 * Before the dump has ended there is no `outcome`, and the header is without size and checksums; it is valid, and has the same
 * length, both ways. Errors with `BAD_ARGUMENT` for a datestamp or a host, and with `BAD_REPLY` for an info of the target, that cannot
 * stand in it. Source: PROTOCOL.md, "The dump file".
 */
export function dumpHeader(
  dump: Dump,
  info: DumpInfo,
  { datestamp, host }: DumpHeaderOptions,
  outcome?: DumpOutcome,
): Uint8Array {
  const { dle, level, peer } = dump;
  const own: DumpHeader = {
    type: 'FILE',
    datestamp,
    host,
    disk: dle.disk,
    level,
    program: dle.program,
    dle: formatDle(dle).trimEnd(),
  };
  encodeDumpHeader(own);
  try {
    return encodeDumpHeader({ ...own, ...fromTarget(dump, info), ...fromOutcome(outcome) });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AmandaError(
      'BAD_REPLY',
      `What ${peer} says about its dump of ${dle.disk} cannot stand in a dump file: ${why}`,
      { peer, cause },
    );
  }
}

function fromTarget({ dle }: Dump, info: DumpInfo): Partial<DumpHeader> {
  return {
    program: info.program ?? dle.program,
    application: info.application ?? dle.backupProgram?.plugin,
    compression: clientCompression(dle, info),
    restore: info.restore,
    coding: codingOf(dle, info),
  };
}

/** What the client has coded the dump with; what a server would do is not done here. */
function codingOf(
  { compress, encrypt }: Dump['dle'],
  { all }: DumpInfo,
): readonly (readonly [string, string])[] {
  const compressor =
    all.get('CLIENT_CUSTOM_COMPRESS') ??
    (compress?.method === 'CUSTOM' ? compress.program : undefined);
  const encryptor =
    all.get('CLIENT_ENCRYPT') ?? (encrypt?.method === 'CUSTOM' ? encrypt.program : undefined);
  const decrypt =
    encryptor === undefined
      ? undefined
      : (all.get('CLIENT_DECRYPT_OPTION') ?? encrypt?.decryptOption);
  const words: readonly (readonly [string, string | undefined])[] = [
    ['crypt', encryptor === undefined ? undefined : 'enc'],
    ['client_custom_compress', compressor],
    ['client_encrypt', encryptor],
    ['client_decrypt_option', decrypt],
  ];
  return words.flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, value] as const],
  );
}

function fromOutcome(outcome: DumpOutcome | undefined): Partial<DumpHeader> {
  if (outcome === undefined) return {};
  const { size, native, client, received } = outcome;
  return {
    ...(size === undefined || size === 0 ? {} : { originalSize: size }),
    nativeChecksum: native,
    clientChecksum: client,
    serverChecksum: received,
  };
}
