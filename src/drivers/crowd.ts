/**
 * Of a target's connections those that have not shown yet what they are there for, in the order in which they came. When there are too many one of them has to
 * go, and one machine that opens thousands is not to push out the others: it is one from where most of them come.
 */
export class Crowd<T> {
  readonly #members = new Map<T, { readonly network: string; readonly mayGo: () => boolean }>();
  /** How many there are of each network. */
  readonly #sizes = new Map<string, number>();

  get size(): number {
    return this.#members.size;
  }

  /** One more, from a numeric address where there is one; `mayGo` says whether it may be the one that goes. */
  add(member: T, address = '', mayGo = (): boolean => true): void {
    const network = networkOf(address);
    this.#members.set(member, { network, mayGo });
    this.#sizes.set(network, this.#sizeOf(network) + 1);
  }

  delete(member: T): void {
    const network = this.#members.get(member)?.network;
    if (network === undefined) return;
    this.#members.delete(member);
    const left = this.#sizeOf(network) - 1;
    if (left === 0) this.#sizes.delete(network);
    else this.#sizes.set(network, left);
  }

  /** Who is to go: of the first that may, one from the network that has the most here, and of its the first. Undefined when none of them may. */
  chosen(): T | undefined {
    let chosen: T | undefined;
    let most = 0;
    let looked = 0;
    for (const [member, { network, mayGo }] of this.#members) {
      if (!mayGo()) continue;
      const size = this.#sizeOf(network);
      if (size > most) {
        chosen = member;
        most = size;
      }
      looked += 1;
      if (looked === LOOKED_AT) break;
    }
    return chosen;
  }

  #sizeOf(network: string): number {
    return this.#sizes.get(network) ?? 0;
  }
}

/** How many are looked at to find one, so that it takes as long with 20,000 as with 40: who comes with many is soon among the first. */
const LOOKED_AT = 32;

/** What is one machine's for sure: of IPv6 the first 64 bits, since whoever has one such address has all of them. Of a link's own addresses these are the link's. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [first = [], last = []] = address
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = new Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  return [...first, ...zeros, ...last].slice(0, 4).join(':');
}
