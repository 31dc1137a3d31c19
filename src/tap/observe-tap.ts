import { Observable, type OperatorFunction } from 'rxjs';
import { ConversationBytes } from '../diagram/conversation-bytes.js';
import { inRange } from '../wire/ranges.js';
import type { TapChange } from './tap-change.js';
import type { TapEvent } from './tap-event.js';

export interface ObserveTapOptions {
  /** Bytes of each payload that are kept, 0 to 65,536; default 96. */
  readonly preview?: number;
}

/** A connection and its decoder. */
interface Reading {
  readonly began: number;
  readonly bytes: ConversationBytes;
}

/**
 * Turns the events of a tap into the steps of diagrams.
 *
 *     events   --o-b---b-----ec-      o: opened, b: bytes, e: ended, c: closed
 *     changes  --oc-cc-c-ccc--c(cx)-  c: a change of the connection's diagram, x: closed
 *
 * Keeps only the front of each payload (`preview`). Data that one chunk brings for one stream is
 * one event with a count. Bytes that are not frames are counted. Errors as the source does, and
 * with `BAD_ARGUMENT` for an option out of range.
 */
export function observeTap({ preview = DEFAULT_PREVIEW }: ObserveTapOptions = {}): OperatorFunction<
  TapEvent,
  TapChange
> {
  return (events) =>
    new Observable((out) => {
      inRange('The option preview', preview, 0, 65_536);
      const readings = new Map<number, Reading>();
      return events.subscribe({
        next: (event) => {
          if (event.kind === 'opened') {
            const { kind, connection, at, peer, target } = event;
            out.next({ kind, connection, at, peer, target });
            const bytes = new ConversationBytes({
              name: connectionName(connection),
              preview,
              joins: true,
              change: (change) => out.next({ kind: 'change', connection, change }),
            });
            readings.set(connection, { began: at, bytes });
            bytes.begin(0);
            return;
          }
          const reading = readings.get(event.connection);
          if (reading === undefined) return;
          read(event, reading);
          if (event.kind !== 'closed') return;
          readings.delete(event.connection);
          const { kind, connection, at, how, reason } = event;
          out.next({ kind, connection, at, how, reason });
        },
        error: (error: unknown) => out.error(error),
        complete: () => out.complete(),
      });
    });
}

/** Bytes of each payload that are kept. */
export const DEFAULT_PREVIEW = 96;

/** The name of the lane of a connection. */
export function connectionName(connection: number): string {
  return `connection ${connection}`;
}

/** The error codes of connections that did not end in good order. */
const codes = {
  reset: 'CONNECTION_LOST',
  unreached: 'CONNECT_FAILED',
  stopped: 'CONNECTION_CLOSED',
} as const;

function read(
  event: Exclude<TapEvent, { readonly kind: 'opened' }>,
  { began, bytes }: Reading,
): void {
  const at = event.at - began;
  switch (event.kind) {
    case 'bytes':
      bytes.bytes(at, event.sender, event.chunk);
      break;
    case 'ended':
      bytes.end(at, event.sender);
      break;
    case 'closed':
      if (event.how === 'ended') bytes.end(at, undefined);
      else bytes.end(at, event.by, { code: codes[event.how], message: event.reason });
      break;
  }
}
