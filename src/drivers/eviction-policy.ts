/**
 * Picks the connection to evict when there are too many.
 *
 * It evicts from the network with the most connections, so that one machine that opens thousands
 * does not push out the others.
 */
export class EvictionPolicy<T> {
  /** In the order of arrival. */
  readonly #members = new Map<T, { readonly network: string; readonly mayEvict: () => boolean }>();
  /** Members of each network. */
  readonly #counts = new Map<string, number>();

  get size(): number {
    return this.#members.size;
  }

  /** Adds a member; `address` is numeric, or empty when it has none. */
  add(member: T, address = '', mayEvict = (): boolean => true): void {
    const network = networkOf(address);
    this.#members.set(member, { network, mayEvict });
    this.#counts.set(network, this.#countOf(network) + 1);
  }

  delete(member: T): void {
    const network = this.#members.get(member)?.network;
    if (network === undefined) return;
    this.#members.delete(member);
    const left = this.#countOf(network) - 1;
    if (left === 0) this.#counts.delete(network);
    else this.#counts.set(network, left);
  }

  /**
   * The oldest evictable member of the network with the most members, among the 32 oldest
   * evictable ones. Undefined when no member may be evicted.
   */
  pick(): T | undefined {
    let picked: T | undefined;
    let most = 0;
    let considered = 0;
    for (const [member, { network, mayEvict }] of this.#members) {
      if (!mayEvict()) continue;
      const count = this.#countOf(network);
      if (count > most) {
        picked = member;
        most = count;
      }
      considered += 1;
      if (considered === MOST_CONSIDERED) break;
    }
    return picked;
  }

  #countOf(network: string): number {
    return this.#counts.get(network) ?? 0;
  }
}

/**
 * The number of open connections from which a listener evicts unauthenticated ones: half of its
 * limit, or all but 512 of more than 1,024. The rest stays free for other peers.
 */
export function evictionThreshold(maxConnections: number): number {
  return maxConnections - Math.min(LISTEN_QUEUE, Math.floor(maxConnections / 2));
}

/** Connections that the system queues for a Node listener (511), and one more. */
const LISTEN_QUEUE = 512;

/** Bounds the work of a pick. A network with many members soon has one among the oldest. */
const MOST_CONSIDERED = 32;

/**
 * What one machine can have all addresses of: an IPv4 address, or the first 64 bits of an IPv6 one.
 * All link-local IPv6 addresses count as one network.
 */
export function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [first = [], last = []] = address
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = new Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  return [...first, ...zeros, ...last].slice(0, 4).join(':');
}
