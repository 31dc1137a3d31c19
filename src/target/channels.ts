import { channel, type Channel } from 'node:diagnostics_channel';
import type { ServiceEvent } from './serve-options.js';

/**
 * The names of the diagnostics channels of a target. Each message is a {@link ServiceEvent}.
 *
 * - `connection`: `connected` and `disconnected`.
 * - `request`: `admitted`, `refused`, `replied` and `ended`.
 * - `dump`: the `ended` of each sendbackup.
 */
export const channelNames = {
  connection: 'rx-amanda:connection',
  request: 'rx-amanda:request',
  dump: 'rx-amanda:dump',
} as const;

const connection = channel(channelNames.connection);
const request = channel(channelNames.request);
const dump = channel(channelNames.dump);

/** Publishes an event; costs nothing without a subscriber. */
export function publish(event: ServiceEvent): void {
  if (event.kind === 'connected' || event.kind === 'disconnected') send(connection, event);
  else {
    send(request, event);
    if (event.kind === 'ended' && event.service === 'sendbackup') send(dump, event);
  }
}

function send(to: Channel, event: ServiceEvent): void {
  if (to.hasSubscribers) to.publish(event);
}
