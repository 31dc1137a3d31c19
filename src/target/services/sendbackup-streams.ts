import { EMPTY } from 'rxjs';
import type { StreamSource } from '../../connection/pump.js';
import type { StreamHandler } from '../../exchange/service.js';
import type { RunningChecksum } from '../../operators/checksum.js';
import { quote } from '../../wire/quote.js';
import { encodeText } from '../../wire/text.js';
import type { DumpHead } from './dump-request.js';

/** What a dump sends. */
export interface DumpSources {
  readonly data: () => StreamSource;
  readonly messages: () => StreamSource;
  /** Optional; absent when the request wants no index. */
  readonly index?: (() => StreamSource) | undefined;
}

/** The streams of a sendbackup, in the order that a dumper demands. */
export function sendbackupStreams(
  { features }: DumpHead,
  { data, messages, index }: DumpSources,
): Readonly<Record<string, StreamHandler | undefined>> {
  return {
    DATA: sending(data),
    MESG: sending(messages),
    INDEX: index === undefined ? undefined : sending(index),
    ...(features.has('fe_sendbackup_stream_state') ? { STATE: sending(() => EMPTY) } : {}),
  };
}

/** A requester sends nothing on these streams; what arrives in spite of that is dropped. */
function sending(source: () => StreamSource): StreamHandler {
  return (incoming) => {
    incoming.discard();
    return source();
  };
}

/** Lines of a MESG stream. */
export function messageLines(...lines: readonly string[]): Uint8Array {
  return encodeText(lines.map((line) => `sendbackup: ${line}\n`).join(''));
}

/** The first lines of a MESG stream: what is dumped, and how to restore it. */
export function dumpDescription({ host, dle, level }: DumpHead, tar: string): Uint8Array {
  return messageLines(
    `start [${host}:${quote(dle.disk)} level ${level}]`,
    `info BACKUP=${tar}`,
    `info RECOVER_CMD=${tar} -xpGf - ...`,
    'info end',
  );
}

/** The checksums of a whole dump, for a requester that reads them. */
export function checksumLines(
  { features }: DumpHead,
  checksum: RunningChecksum,
): readonly string[] {
  return features.has('fe_sendbackup_crc')
    ? [`native-CRC ${checksum.toString()}`, `client-CRC ${checksum.toString()}`]
    : [];
}
