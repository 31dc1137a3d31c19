/**
 * `rx-amanda/driver`: what a driver of your own needs.
 *
 *     open: (options) => overChannel(new StreamChannel({ input, output, peer }), role, options),
 */
export * from './drivers/over-channel.js';
export * from './drivers/wrapped-channel.js';
export { StreamChannel, type ByteStreams } from './transport/stream-channel.js';
export type { Channel } from './transport/channel.js';
export type { ConnectionSide } from './connection/tcpm-connection.js';
