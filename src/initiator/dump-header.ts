import { AmandaError } from '../wire/errors.js';
import { formatDle } from '../wire/dle/dle-format.js';
import { encodeDumpHeader, type DumpHeader } from '../wire/dumpfile.js';
import { messageOf } from '../wire/text.js';
import { clientCompression, type DumpInfo } from './dump-info.js';
import type { DumpOutcome } from './dump-outcome.js';
import type { Dump } from './sendbackup.js';

/** Options of {@link dumpHeader}. */
export interface DumpHeaderOptions {
  /** `YYYYMMDDhhmmss`, the start of the run. */
  readonly datestamp: string;
  /** The name of the target's host. */
  readonly host: string;
}

/**
 * The 32 KiB before a dump in a file, as Amanda's dumper writes them.
 *
 * Without an `outcome`, as long as the dump runs, it has no size and no checksums; it is valid, and
 * of the same length. Throws `BAD_ARGUMENT` for an invalid datestamp or host, and `BAD_REPLY` for
 * an invalid info of the target. Source: PROTOCOL.md, "The dump file".
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
    const why = messageOf(cause);
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

/** How the client compressed or encrypted the dump; this side does neither. */
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
