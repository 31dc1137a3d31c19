import type { Peer } from '../../transport/channel.js';
import type { ConnectionOptions } from '../../connection/options.js';
import type { SideOwner, SideStreams } from '../../connection/side-streams.js';
import { AmandaError } from '../../wire/errors.js';
import type { DoorOptions } from './datagram-door.js';

/** How the TCP connections of streams come about; an initiator goes by `ports` alone, as its source ports. */
export type SideOptions = DoorOptions;

/** What makes the streams of a connection: the one thing in which bsd and bsdudp differ. */
export type SideFactory = (
  peer: Peer,
  owner: SideOwner,
  side: SideOptions,
  options: ConnectionOptions,
) => SideStreams;

/** Errors with `BAD_REPLY` for a number that is no TCP port. */
export function checkStreamPort(number: number): void {
  if (!Number.isInteger(number) || number < 1 || number > 65_535) {
    throw new AmandaError(
      'BAD_REPLY',
      `The reply announces a stream ${number}, and over this driver that is a TCP port, 1 to 65535.`,
      { handle: number },
    );
  }
}

export function tooManyStreams(most: number, handle: number): AmandaError {
  return new AmandaError(
    'TOO_MANY_HANDLES',
    `The connection has ${most} open streams, which is the limit (maxHandles).`,
    { handle },
  );
}
