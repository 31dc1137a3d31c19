/** Milliseconds since 1970, with a fraction; unlike the time of day it is never set back. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
