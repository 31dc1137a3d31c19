import type { ParsedRequest } from '../wire/request.js';

/**
 * The requests that run on one connection. The same request on another handle is not started again.
 * Source: PROTOCOL.md, "The exchange: target".
 */
export class RunningRequests {
  readonly #requests = new Set<ParsedRequest>();

  /** Whether the same arguments to the same service run, no matter for which user. */
  has({ service, arguments: words }: ParsedRequest): boolean {
    for (const other of this.#requests)
      if (other.service === service && Buffer.compare(other.arguments, words) === 0) return true;
    return false;
  }

  add(request: ParsedRequest): void {
    this.#requests.add(request);
  }

  delete(request: ParsedRequest): void {
    this.#requests.delete(request);
  }
}
