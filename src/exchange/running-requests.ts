import type { ParsedRequest } from '../wire/request.js';

/** The requests that run on one connection: the same one again, on another handle, is not started twice. Source: PROTOCOL.md, "The exchange: target". */
export class RunningRequests {
  readonly #requests = new Set<ParsedRequest>();

  /** Whether the same is being done already: the same words to the same service, whoever they are said to come from. */
  has({ service, arguments: words }: ParsedRequest): boolean {
    for (const other of this.#requests)
      if (other.service === service && Buffer.compare(other.arguments, words) === 0) return true;
    return false;
  }

  begins(request: ParsedRequest): void {
    this.#requests.add(request);
  }

  ends(request: ParsedRequest): void {
    this.#requests.delete(request);
  }
}
