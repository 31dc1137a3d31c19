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
import { isProtocolHandle } from '../../wire/handles.js';
import { decodePacket } from '../../wire/packet.js';
import { printable, decodeText } from '../../wire/text.js';

/** Bytes of a frame that are shown. */
const SHOWN_BYTES = 400;

/** Tells each frame of a connection, both ways, as one line of text. Does nothing without a `tell`. */
export function traceFrames(
  tell: ((line: string) => void) | undefined,
  describe = describeFrame,
): MonoTypeOperatorFunction<Connection> {
  return (connections) =>
    tell === undefined
      ? connections
      : connections.pipe(
          mergeMap((connection) => merge(trace(connection, tell, describe), of(connection))),
        );
}

/** Runs beside a connection until that ends; how it ends is for others to say. */
export function trace(
  connection: Connection,
  tell: (line: string) => void,
  describe = describeFrame,
): Observable<never> {
  const telling = (arrow: string) =>
    tap<Frame>((frame) => {
      tell(`${arrow} ${describe(frame)}`);
    });
  return merge(connection.pipe(telling('<')), connection.sent.pipe(telling('>'))).pipe(
    catchError(() => EMPTY),
    ignoreElements(),
  );
}

/** The same without what streams carry, for a log: that is the content of somebody's files. */
export function describePacket(frame: Frame): string {
  const { handle, payload } = frame;
  return isProtocolHandle(handle) || payload.length === 0
    ? describeFrame(frame)
    : `handle ${handle}: data, ${payload.length} bytes`;
}

/** A frame as a person reads it: `handle 1: REQ, 57 bytes "SERVICE noop\n…"`. */
export function describeFrame({ handle, payload }: Frame): string {
  if (payload.length === 0) return `handle ${handle}: close`;
  const isPacket = isProtocolHandle(handle);
  const { type, body } = isPacket ? decodePacket(payload) : { type: 'data', body: payload };
  const text =
    body.length === 0
      ? ''
      : ` "${printable(decodeText(body.subarray(0, SHOWN_BYTES)), SHOWN_BYTES)}"`;
  return `handle ${handle}: ${type}, ${payload.length} bytes${text}${body.length > SHOWN_BYTES ? '…' : ''}`;
}
