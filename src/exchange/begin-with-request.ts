import { exhaustMap, map, of, type MonoTypeOperatorFunction } from 'rxjs';
import type { Packet } from '../wire/packet.js';
import type { RespondOptions } from './respond-options.js';

/**
 * Passes on the packets of a handle. A first packet other than a REQ waits until it may be refused.
 * What arrives meanwhile belongs to no request and is dropped.
 */
export function beginWithRequest({
  refuseToBegin = () => of(undefined),
}: Pick<RespondOptions, 'refuseToBegin'>): MonoTypeOperatorFunction<Packet> {
  return exhaustMap((received, index) =>
    index === 0 && received.type !== 'REQ'
      ? refuseToBegin().pipe(map(() => received))
      : of(received),
  );
}
