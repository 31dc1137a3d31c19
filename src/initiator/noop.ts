import { filter, map, type OperatorFunction } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import { request, type Reply } from '../exchange/request.js';
import { Features } from '../wire/features.js';
import { printable } from '../wire/text.js';
import { optionsFor, type CallOptions } from './options.js';
import { badReply, serviceFailed } from './reply-errors.js';

/** What a target says about itself. */
export interface Noop {
  /** What it can do; the empty set for an Amanda from before there were features. */
  readonly features: Features;
  readonly reply: Reply;
}

/**
 * Asks a target what it can do, which also proves that it is there and lets us in.
 *
 *     source  -C-----|      C: the Connection
 *     out     ---n-|        n: { features }
 *
 *     connect(bsdtcp({ host })).pipe(noop()).subscribe(({ features }) => console.log(features.names()));
 *
 * Errors with `SERVICE_FAILED` when the answer is an ERROR line, with `BAD_REPLY` when it is something else than
 * OPTIONS, with `BAD_FEATURES`, and as {@link request} does. Source: PROTOCOL.md, "Services".
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
