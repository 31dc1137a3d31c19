import { EMPTY } from 'rxjs';
import type { StreamSource } from '../../connection/pump.js';
import type { Stream } from '../../connection/stream.js';
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

/**
 * The streams of a sendbackup, in the order that a dumper demands. `receive` is given each stream,
 * on which a requester sends nothing.
 */
export function sendbackupStreams(
  { features }: DumpHead,
  { data, messages, index }: DumpSources,
  receive: (incoming: Stream) => void = (incoming) => {
    incoming.discard();
  },
): Readonly<Record<string, StreamHandler | undefined>> {
  const sending =
    (source: () => StreamSource): StreamHandler =>
    (incoming) => {
      receive(incoming);
      return source();
    };
  return {
    DATA: sending(data),
    MESG: sending(messages),
    INDEX: index === undefined ? undefined : sending(index),
    ...(features.has('fe_sendbackup_stream_state') ? { STATE: sending(() => EMPTY) } : {}),
  };
}

/** Lines of a MESG stream. */
export function messageLines(...lines: readonly string[]): Uint8Array {
  return encodeText(lines.map((line) => `sendbackup: ${line}\n`).join(''));
}

/** How a dump is restored, as its description says. */
export interface RestoreWords {
  /** GNU tar. */
  readonly tar: string;
  /** The application that made it; default none, so that tar restores it. */
  readonly application?: string | undefined;
  /** The command that restores it. Default: that of tar. */
  readonly restore?: string | undefined;
  readonly isCompressed?: boolean;
}

/** The first lines of a MESG stream: what is dumped, and how to restore it. */
export function dumpDescription(
  { host, dle, level }: DumpHead,
  { tar, application, restore = `${tar} -xpGf - ...`, isCompressed = false }: RestoreWords,
): Uint8Array {
  return messageLines(
    `start [${host}:${quote(dle.disk)} level ${level}]`,
    ...(application === undefined
      ? [`info BACKUP=${tar}`]
      : ['info BACKUP=APPLICATION', `info APPLICATION=${application}`]),
    `info RECOVER_CMD=${isCompressed ? 'gzip -dc |' : ''}${restore}`,
    ...(isCompressed ? ['info COMPRESS_SUFFIX=.gz'] : []),
    'info end',
  );
}

/** The checksums of a whole dump before and after compression, for a requester that reads them. */
export function checksumLines(
  { features }: DumpHead,
  native: RunningChecksum,
  sent: RunningChecksum = native,
): readonly string[] {
  return features.has('fe_sendbackup_crc')
    ? [`native-CRC ${native.toString()}`, `client-CRC ${sent.toString()}`]
    : [];
}
