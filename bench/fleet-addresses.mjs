/** The loopback address of target n of the fleet. */
export function addressOf(index) {
  return `127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}
