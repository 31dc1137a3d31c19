import type { Socket } from 'node:net';

/**
 * Ends a socket with a reset, so that the peer does not take it for a good end.
 *
 * libuv refuses to reset a socket whose FIN is being sent, and Node then loses the descriptor. So
 * the reset waits for the FIN; everything else has been handed to the kernel by then.
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
