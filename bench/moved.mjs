/** Bytes moved through streams: the columns of such a table, and one run of a case. */
import { throughput } from './processes.mjs';

export const columns = [
  { key: 'rate', label: 'GB/s' },
  { key: 'receiving', label: 'CPU s/GB receiving', compared: true, short: 'CPU ' },
  { key: 'sending', label: 'sending' },
  { key: 'rss', label: 'peak RSS MiB', digits: 0 },
];

/** Moves `total` bytes through each of `streams` streams. The first quarter is not counted. */
export async function moved({ peer, variant = '-' }, { total, size, streams = 1, ...limits }) {
  const bytes = total * streams;
  const words = [variant, total, size, streams];
  const { rss, ...figures } = await throughput(peer, words, bytes, {
    warmUp: bytes / 4,
    ...limits,
  });
  return { ...figures, rss: rss / 2 ** 20 };
}

/** Bytes for each of several streams, which together carry `bytes` in whole writes. */
export function share(bytes, streams, size) {
  return Math.round(bytes / streams / size) * size;
}

/** Bare sockets and rx-amanda, by what a reader may do with the memory of a chunk. */
export const reading = {
  reused: { name: 'bare net.Socket, onread into one buffer', peer: 'socket', variant: 'onread' },
  data: { name: 'bare net.Socket, data events', peer: 'socket', variant: 'data' },
  keeping: { name: 'rx-amanda, keeping', peer: 'amanda', variant: 'plain' },
  leasing: { name: 'rx-amanda, leasing', peer: 'amanda', variant: 'leased' },
};

export function countOfStreams(streams) {
  return streams === 1 ? 'One stream' : `${streams} streams`;
}
