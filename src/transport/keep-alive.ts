import type { Socket } from 'node:net';

/** A connection of this age, in milliseconds, gets keep-alive. */
const YOUTH = 1_000;

const young = new Set<Socket>();
let isLooking = false;

/**
 * Turns TCP keep-alive on within a second. It takes system calls, and most connections are over
 * before. Returns how to release a socket that has closed.
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
  for (const socket of young) keepAliveNow(socket);
  young.clear();
}

/**
 * Turns TCP keep-alive on, with the times of the system. A delay of our own would make Node set one
 * probe a second and ten of them, which an outage of ten seconds ends.
 */
export function keepAliveNow<S extends Socket>(socket: S): S {
  return socket.setKeepAlive(true);
}
