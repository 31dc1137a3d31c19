import type { Socket } from 'node:net';
import { resetSocket } from '../transport/reset-socket.js';
import type { SocketReader } from '../transport/socket-reader.js';
import { passOn } from './pass-on.js';
import type { TapClosing } from './tap-event.js';
import type { Role } from '../wire/role.js';

/** A socket of a relay, and its reader if it was created with one. */
export interface RelayEnd {
  readonly socket: Socket;
  readonly reader?: SocketReader;
}

/** Takes the events of a relayed connection. */
export interface RelayEvents {
  readonly onBytes: (sender: Role, chunk: Uint8Array) => void;
  readonly onEnded: (sender: Role) => void;
  /** The last call. `reason` is a sentence. */
  readonly onClosed: (how: TapClosing, by: Role | undefined, reason: string) => void;
}

/** Milliseconds in which bytes that came before a reset may still be passed on. */
const FLUSH = 2_000;

const NO_BYTES = new Uint8Array(0);

/**
 * Joins two sockets to one connection: bytes, ends and resets pass on as they come. Both sockets
 * must allow half-open connections. Returns a function that breaks both at once without further
 * events.
 */
export function relaySockets(
  initiator: RelayEnd,
  target: RelayEnd,
  { onBytes, onEnded, onClosed }: RelayEvents,
): () => void {
  let isOver = false;
  let open = 2;
  const over = (how: TapClosing, by: Role | undefined, reason: string): void => {
    if (isOver) return;
    isOver = true;
    onClosed(how, by, reason);
  };
  const connect = (sender: Role, from: RelayEnd, to: Socket): void => {
    const broken = (error: Error): void => {
      from.socket.destroy();
      resetAfterBytes(to);
      over('reset', sender, `The ${sender} broke the connection: ${error.message}.`);
    };
    from.socket
      .on('error', broken)
      .on('end', () => {
        verifyEnd(from.socket, broken, () => {
          if (isOver) return;
          onEnded(sender);
          to.end();
        });
      })
      .on('close', () => {
        open -= 1;
        if (open === 0) over('ended', undefined, 'Both sides have ended.');
      });
    passOn({
      input: from.socket,
      output: to,
      listen: from.reader?.listen.bind(from.reader),
      onBytes: (chunk) => {
        if (!isOver) onBytes(sender, chunk);
      },
    });
  };
  connect('initiator', initiator, target.socket);
  connect('target', target, initiator.socket);
  return () => {
    isOver = true;
    for (const { socket } of [initiator, target]) reset(socket);
  };
}

/** Resets a connection, so that its other end cannot take it for a good end. */
export function reset(socket: Socket): void {
  if (!socket.destroyed) resetSocket(socket);
}

/** Resets after the bytes that are already written, unless the reader is too slow. */
function resetAfterBytes(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.writableLength === 0) {
    reset(socket);
    return;
  }
  // Not protocol time: the other side of this connection is gone.
  const limit = setTimeout(reset, FLUSH, socket);
  socket.once('close', () => {
    clearTimeout(limit);
  });
  const flushed = (): void => {
    reset(socket);
  };
  if (socket.writableEnded) socket.once('finish', flushed);
  else socket.write(NO_BYTES, flushed);
}

/**
 * Tells an end from a reset. Node reports a reset after unread bytes as an end, but an empty write
 * fails then. After our own FIN there is no difference to find, and unsent bytes will show it.
 */
function verifyEnd(socket: Socket, broken: (error: Error) => void, ended: () => void): void {
  if (socket.writableEnded || socket.destroyed || socket.writableLength > 0) ended();
  else
    socket.write(NO_BYTES, (error) => {
      if (error === null || error === undefined) ended();
      else broken(error);
    });
}
