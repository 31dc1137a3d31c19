import type { Socket } from 'node:net';

/** Idle time before TCP probes whether the peer is still there, in milliseconds. */
export const KEEP_ALIVE = 60_000;

/** Milliseconds that a connection may last without it. */
const YOUTH = 1_000;

const young = new Set<Socket>();
let isLooking = false;

/**
 * Turns TCP keep-alive on, within a second: it takes four system calls, and most connections are over by then. Returns how to let go of the socket when it
 * is over before.
 */
export function keepAlive(socket: Socket): () => void {
  young.add(socket);
  if (!isLooking) {
    isLooking = true;
    setTimeout(lookAtYoung, YOUTH).unref();
  }
  return () => {
    young.delete(socket);
  };
}

function lookAtYoung(): void {
  isLooking = false;
  for (const socket of young) socket.setKeepAlive(true, KEEP_ALIVE);
  young.clear();
}
