import type { Socket } from 'node:net';

/**
 * Ends a TCP connection with a reset, so that nothing of it can pass for complete.
 *
 * Node's `resetAndDestroy()` ends the sending direction in good order first (Node 20), and the peer reads
 * that FIN as the end of the bytes. The mark is the one by which Node itself chooses a reset.
 */
export function resetSocket(socket: Socket): void {
  Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
}
