import type { Dle } from '../wire/dle/dle.js';
import { formatChecksum, type Checksum } from '../wire/crc32c.js';
import { AmandaError } from '../wire/errors.js';
import { clientCompression, type DumpInfo } from './dump-info.js';

/** The facts about a dump after the target has closed all its streams. */
export interface DumpFacts {
  readonly dle: Dle;
  readonly peer: string;
  readonly info: DumpInfo;
  /** Of the bytes that arrived on DATA. */
  readonly received: Checksum;
  /** Whether `sendbackup: end` came. */
  readonly ended: boolean;
  /** Whether the target announced an index. */
  readonly indexed: boolean;
  /** The `size` line in units of 1,024 bytes; −1 for unknown, undefined without the line. */
  readonly size: number | undefined;
  readonly native: Checksum | undefined;
  readonly client: Checksum | undefined;
}

/**
 * Judges a dump that has no `error` line. Undefined when it is whole; otherwise the error.
 *
 * `INCOMPLETE_DUMP` without `end`, data, a size, or a requested index. `CHECKSUM_MISMATCH` when
 * CRC, count or size differ from the received bytes. Source: PROTOCOL.md, "Services".
 */
export function judgeDump(facts: DumpFacts): AmandaError | undefined {
  const { peer, dle } = facts;
  const context = { peer };
  const lacking = whatIsMissing(facts);
  if (lacking !== undefined)
    return new AmandaError(
      'INCOMPLETE_DUMP',
      `The dump of ${dle.disk} from ${peer} is not whole: ${lacking}.`,
      context,
    );
  const wrong = whatDisagrees(facts);
  return wrong === undefined
    ? undefined
    : new AmandaError(
        'CHECKSUM_MISMATCH',
        `The dump of ${dle.disk} from ${peer} is damaged: ${wrong}. Do not keep it; dump again.`,
        context,
      );
}

function whatIsMissing({
  dle,
  ended,
  indexed,
  received,
  size,
  client,
}: DumpFacts): string | undefined {
  if (!ended) return 'sendbackup did not say that it came to its end';
  if (received.bytes === 0) return 'it has no data';
  if (dle.index === true && !indexed) return 'it has no index, and one was asked for';
  if (size === undefined) return 'sendbackup did not say how large it is';
  if (size < 0 && client === undefined)
    return 'sendbackup could not tell how large it is, and sent no checksum either';
  return undefined;
}

function whatDisagrees(facts: DumpFacts): string | undefined {
  const { received, native, client, size } = facts;
  const got = formatChecksum(received.crc, received.bytes);
  if (client !== undefined && !same(client, received))
    return `the client sent ${formatChecksum(client.crc, client.bytes)} (CRC-32C:bytes), and ${got} arrived`;
  const coded = isCoded(facts);
  if (!coded && native !== undefined && !same(native, received)) {
    return `the dump program wrote ${formatChecksum(native.crc, native.bytes)} (CRC-32C:bytes), and ${got} arrived`;
  }
  const original = native?.bytes ?? (coded ? undefined : received.bytes);
  if (original === undefined || size === undefined || size < 0 || !countsExactly(facts))
    return undefined;
  const kilobytes = Math.ceil(original / 1024);
  return size === kilobytes
    ? undefined
    : `the dump program reported ${size} KiB, and its data are ${kilobytes} KiB`;
}

function same(one: Checksum, other: Checksum): boolean {
  return one.crc === other.crc && one.bytes === other.bytes;
}

/** Whether the client compresses or encrypts the output of the dump program. */
function isCoded({ dle, info }: DumpFacts): boolean {
  return (
    clientCompression(dle, info) !== undefined ||
    dle.encrypt?.method === 'CUSTOM' ||
    info.all.has('CLIENT_ENCRYPT')
  );
}

/**
 * Whether `size` is the exact number of bytes, rounded up to KiB. GNU tar reports its total; `dump`
 * estimates, and several applications report at least 32, or round down.
 */
function countsExactly({ dle, info }: DumpFacts): boolean {
  return dle.program === 'GNUTAR' || info.application === 'amgtar';
}
