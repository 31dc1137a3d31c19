import { filter, map, type OperatorFunction } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import { request, type Reply } from '../exchange/request.js';
import { Features } from '../wire/features.js';
import { printable } from '../wire/text.js';
import { optionsFor, type CallOptions } from './call-options.js';
import { badReply, serviceFailed } from './reply-errors.js';

/** The reply of a target to noop. */
export interface Noop {
  /** Its features; the empty set for an Amanda without features. */
  readonly features: Features;
  /** The whole reply. */
  readonly reply: Reply;
}

/**
 * Asks a target for its features. The reply also shows that the target runs and admits us.
 *
 *     source  -C-----|      C: the Connection
 *     out     ---n-|        n: { features }
 *
 * Errors with `SERVICE_FAILED` for an ERROR line, with `BAD_REPLY` for other lines than OPTIONS,
 * with `BAD_FEATURES`, and as {@link request} does. Source: PROTOCOL.md, "Services".
 *
 * @example
 * ```ts
 * import { bsdtcp, connect, noop } from 'rx-amanda';
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(noop())
 *   .subscribe(({ features }) => console.log(features.names()));
 * ```
 */
export function noop(call: CallOptions = {}): OperatorFunction<Connection, Noop> {
  return (connections) =>
    connections.pipe(
      request({ service: 'noop', options: optionsFor(call) }, call),
      filter(({ kind }) => kind === 'final'),
      map(toNoop),
    );
}

function toNoop(reply: Reply): Noop {
  if (reply.errors.length > 0) throw serviceFailed('noop', reply);
  const strange = reply.lines.find((line) => line !== '');
  if (strange !== undefined) throw badReply('noop', `it says "${printable(strange)}"`, reply);
  return { features: reply.options.features ?? Features.none, reply };
}
