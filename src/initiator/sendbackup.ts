import { filter, map, type Observable, type OperatorFunction } from 'rxjs';
import { describePeer } from '../transport/channel.js';
import type { Connection } from '../connection/connection.js';
import type { Stream } from '../connection/stream.js';
import { request, type Reply } from '../exchange/request.js';
import { lines } from '../operators/lines.js';
import { formatDle } from '../wire/dle/dle-format.js';
import type { Dle } from '../wire/dle/dle.js';
import { checkOptions } from '../wire/arguments.js';
import { AmandaError } from '../wire/errors.js';
import { printable } from '../wire/text.js';
import { parseBackupMessage, type BackupMessage } from './backup-message.js';
import { optionsFor, type CallOptions } from './call-options.js';
import { badReply, serviceFailed } from './reply-errors.js';
import { parseRetry, retryLater } from './retry.js';

/** Options of {@link sendbackup} and {@link dump}. */
export interface SendbackupOptions extends CallOptions {
  /** What to dump; a full dump without `levels`. */
  readonly dle: Dle;
}

/**
 * A dump that has begun, with its unread streams.
 *
 * Read or `discard()` each of them, because an unread stream blocks the others. `receiveDump` does
 * this, and also checks whether the dump is whole.
 */
export interface Dump {
  /** As requested. */
  readonly dle: Dle;
  /** 0 is a full dump. */
  readonly level: number;
  /** The name of the target, for people. */
  readonly peer: string;
  /** The image. */
  readonly data: Stream;
  /** The lines of sendbackup's messages. */
  readonly messages: Observable<BackupMessage>;
  /** The paths in the image, one on each line; undefined without an index. */
  readonly index: Stream | undefined;
  /** What the application needs to restore single files; undefined without it. */
  readonly state: Stream | undefined;
  /** The whole reply of sendbackup. */
  readonly reply: Reply;
}

/**
 * Asks a target for a dump.
 *
 *     source  -C----------------|      C: the Connection
 *     out     ----d-------------|      d: the Dump; completes when its streams have
 *
 * Unsubscribing ends the dump. Source: PROTOCOL.md, "Services". Errors as {@link request} does, and
 * with:
 *
 * - `SERVICE_FAILED`: the target refuses.
 * - `RETRY_LATER`: the target wants to dump later; {@link retryAdvice} reads when.
 * - `BAD_REPLY`: the reply has no DATA or MESG stream, or other lines.
 *
 * Throws `BAD_ARGUMENT` for no or several levels, and `BAD_DLE` for a DLE that cannot be sent.
 *
 * @example
 * ```ts
 * import { bsdtcp, connect, sendbackup } from 'rx-amanda';
 * import { mergeMap } from 'rxjs';
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(
 *     sendbackup({ dle: { program: 'GNUTAR', disk: '/home', levels: [{ level: 0 }] } }),
 *     mergeMap((dump) => dump.messages),
 *   )
 *   .subscribe(console.log);
 * ```
 */
export function sendbackup(options: SendbackupOptions): OperatorFunction<Connection, Dump> {
  checkOptions('sendbackup', options, { dle: 'object' });
  const { dle, ...call } = options;
  const [level, ...more] = dle.levels ?? [{ level: 0 }];
  if (level === undefined || more.length > 0)
    throw new AmandaError(
      'BAD_ARGUMENT',
      `A dump is of one level, not of ${more.length === 0 ? 'none' : 'several'}.`,
    );
  const asked: Dle = { ...dle, levels: [level] };
  const body = formatDle(asked);
  return (connections) =>
    connections.pipe(
      request(
        { service: 'sendbackup', options: optionsFor(call), body },
        { replyTimeout: SENDBACKUP_REPLY_TIMEOUT, ...call },
      ),
      filter(({ kind }) => kind === 'final'),
      map((reply) => toDump(reply, asked, level.level)),
    );
}

/** Milliseconds that Amanda's dumper waits for the reply. Source: PROTOCOL.md, "Numbers". */
const SENDBACKUP_REPLY_TIMEOUT = 60_000;

function toDump(reply: Reply, dle: Dle, level: number): Dump {
  const peer = describePeer(reply.connection.peer);
  if (reply.errors.length > 0) throw serviceFailed('sendbackup', reply);
  for (const line of reply.lines) {
    if (/^RETRY(?: |$)/.test(line)) throw retryLater(parseRetry(line.slice('RETRY '.length)), peer);
    if (line.trim() !== '') throw badReply('sendbackup', `it says "${printable(line)}"`, reply);
  }
  const { DATA: data, MESG: mesg, INDEX: index, STATE: state, ...others } = reply.streams;
  if (data === undefined) throw badReply('sendbackup', 'it announces no DATA stream', reply);
  if (mesg === undefined) throw badReply('sendbackup', 'it announces no MESG stream', reply);
  for (const stream of Object.values(others)) stream.discard();
  return {
    dle,
    level,
    peer,
    data,
    messages: mesg.pipe(lines({ maxLength: MAX_MESSAGE }), map(parseBackupMessage)),
    index,
    state,
    reply,
  };
}

/** The longest line of MESG, in characters; real ones have some hundred. */
const MAX_MESSAGE = 65_536;
