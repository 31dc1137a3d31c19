import type { Socket } from 'node:net';
import { EMPTY, Subscription, catchError, fromEvent, takeUntil } from 'rxjs';
import type { Stream } from '../../connection/stream.js';
import type { StreamHandler } from '../../exchange/service.js';
import type { Pullable } from '../../operators/pull.js';
import { pulled } from '../../operators/iterate.js';
import { toWritable } from '../../operators/to-writable.js';
import type { ServiceConnect } from '../../wire/reply.js';
import { holdOutput } from './hold-output.js';
import type { ServiceProcess } from './launch.js';
import type { ServiceOutput } from './service-output.js';

/** Of sendbackup's streams, these two are bound to each other. */
const DATA = 0;
const MESG = 1;

/**
 * What a service's CONNECT line announces, joined to the descriptors that it means.
 *
 * A number outside of the range, or one that came before, stands for no stream. What a requester
 * sends is written at the service's pace. Its close ends what the service reads; the other
 * direction goes on. `work` owns the subscriptions. Source: PROTOCOL.md, "Starting a service".
 */
export function processStreams(
  connect: ServiceConnect['connect'],
  service: string,
  { inputs, outputs }: ServiceProcess,
  offset: number,
  work: Subscription,
): Readonly<Record<string, StreamHandler | undefined>> {
  const places = connect.map(({ number }, index) =>
    connect.findIndex((other) => other.number === number) === index ? number - offset : -1,
  );
  const sources = sourcesOf(
    outputs,
    service === 'sendbackup' && places.includes(DATA) && places.includes(MESG),
  );
  return Object.fromEntries(
    connect.map(({ name }, index) => {
      const place = places[index] ?? -1;
      const [input, source] = [inputs[place], sources[place]];
      if (input === undefined || source === undefined) return [name, undefined];
      const handler: StreamHandler = (incoming) => {
        work.add(feed(incoming, input));
        return pulled(source);
      };
      return [name, handler];
    }),
  );
}

function sourcesOf(
  outputs: readonly ServiceOutput[],
  holds: boolean,
): readonly Pullable<Uint8Array>[] {
  const [data, mesg, ...others] = outputs;
  if (!holds || data === undefined || mesg === undefined) return outputs;
  const held = holdOutput(mesg, data);
  return [held.data, held.messages, ...others];
}

/**
 * Gives a service what arrives, until it has closed that descriptor; what comes then is dropped.
 */
function feed(incoming: Stream, input: Socket): Subscription {
  if (input.destroyed) {
    incoming.discard();
    return Subscription.EMPTY;
  }
  // Nothing comes from there but the news that the service has closed it.
  input.resume();
  return incoming
    .pipe(
      toWritable(input),
      catchError(() => EMPTY),
      takeUntil(fromEvent(input, 'close')),
    )
    .subscribe();
}
