/**
 * `rx-amanda/driver`: what a driver of your own needs.
 *
 *     open: (options) => overChannel(new StreamChannel({ input, output, peer }), role, options),
 */
export * from './drivers/over-channel.js';
export * from './drivers/wrapped-channel.js';
export * from './transport/stream-channel.js';
export type { Channel, ChannelMemory } from './transport/channel.js';
export { TcpmConnection, type Role } from './connection/tcpm-connection.js';
