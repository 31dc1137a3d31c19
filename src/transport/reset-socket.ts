import type { Socket } from 'node:net';

/**
 * Ends a socket with a reset, which tells the peer that this is no end.
 *
 * Node cannot reset a socket whose FIN is just leaving: libuv refuses, and Node then forgets the socket with its descriptor open. All that was
 * to be sent has been handed to the system by then, so the reset can wait for the FIN, which waits for nobody.
 */
export function resetSocket(socket: Socket): void {
  const isFinishing =
    socket.writableEnded &&
    socket.writableLength === 0 &&
    !socket.writableFinished &&
    !socket.destroyed;
  if (isFinishing) socket.once('finish', () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
}
