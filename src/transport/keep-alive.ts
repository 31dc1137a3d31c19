import type { Socket } from 'node:net';

/** Idle time before TCP probes whether the peer is still there, in milliseconds. */
export const KEEP_ALIVE = 60_000;

/** A connection of this age, in milliseconds, gets keep-alive. */
const YOUTH = 1_000;

const young = new Set<Socket>();
let isLooking = false;

/**
 * Turns TCP keep-alive on within a second. It takes four system calls, and most connections are
 * over before. Returns how to release a socket that has closed.
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
