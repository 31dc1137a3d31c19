import { describePeer, hostOf } from '../transport/channel.js';
import type { Reply } from '../exchange/request.js';
import { AmandaError } from '../wire/errors.js';
import { explain } from '../wire/explanations.js';
import { printable } from '../wire/text.js';

/** The error for a reply that says `ERROR`. */
export function serviceFailed(service: string, { errors, connection }: Reply): AmandaError {
  const peer = describePeer(connection.peer);
  return new AmandaError(
    'SERVICE_FAILED',
    `The ${service} of ${peer} failed: ${errors.map((text) => printable(text)).join('; ')}`,
    { peer, advice: adviceFor(errors, connection) },
  );
}

/** The error for a reply that violates the protocol of the service. */
export function badReply(service: string, why: string, { lines, connection }: Reply): AmandaError {
  const peer = describePeer(connection.peer);
  return new AmandaError(
    'BAD_REPLY',
    `The reply of ${peer} to ${service} cannot be used, since ${why}.`,
    { peer, advice: adviceFor(lines, connection) },
  );
}

/** What the first known line of a reply means. */
function adviceFor(lines: readonly string[], { peer }: Reply['connection']): string | undefined {
  for (const line of lines) {
    const known = explain(line, hostOf(peer));
    if (known !== undefined) return known.advice;
  }
  return undefined;
}
