import {
  EMPTY,
  catchError,
  ignoreElements,
  merge,
  mergeMap,
  of,
  tap,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import type { Connection } from '../../connection/connection.js';
import type { Frame } from '../../wire/frame.js';
import { isProtocolHandle } from '../../wire/frame-header.js';
import { decodePacket } from '../../wire/packet.js';
import { printable, decodeText } from '../../wire/text.js';

/** The most bytes of a frame that are printed. */
const SHOWN_BYTES = 400;

/**
 * Reports each frame of a connection, both ways, as one line of text. Does nothing without
 * `report`.
 */
export function traceFrames(
  report: ((line: string) => void) | undefined,
  describe = describeFrame,
): MonoTypeOperatorFunction<Connection> {
  return (connections) =>
    report === undefined
      ? connections
      : connections.pipe(
          mergeMap((connection) => merge(trace(connection, report, describe), of(connection))),
        );
}

/** Runs until the connection ends. Errors of the connection are left to its subscriber. */
export function trace(
  connection: Connection,
  report: (line: string) => void,
  describe = describeFrame,
): Observable<never> {
  const reporting = (arrow: string) =>
    tap<Frame>((frame) => {
      report(`${arrow} ${describe(frame)}`);
    });
  return merge(connection.pipe(reporting('<')), connection.sent.pipe(reporting('>'))).pipe(
    catchError(() => EMPTY),
    ignoreElements(),
  );
}

/** Describes a frame for a log, which must not hold the contents of files. */
export function describePacket(frame: Frame): string {
  const { handle, payload } = frame;
  return isProtocolHandle(handle) || payload.length === 0
    ? describeFrame(frame)
    : `handle ${handle}: data, ${payload.length} bytes`;
}

/** Describes a frame for a person: `handle 1: REQ, 57 bytes "SERVICE noop\n…"`. */
export function describeFrame({ handle, payload }: Frame): string {
  if (payload.length === 0) return `handle ${handle}: close`;
  const isPacket = isProtocolHandle(handle);
  const { type, body } = isPacket ? decodePacket(payload) : { type: 'data', body: payload };
  const text =
    body.length === 0
      ? ''
      : ` "${printable(decodeText(body.subarray(0, SHOWN_BYTES)), SHOWN_BYTES)}"`;
  const more = body.length > SHOWN_BYTES ? '…' : '';
  return `handle ${handle}: ${type}, ${payload.length} bytes${text}${more}`;
}
