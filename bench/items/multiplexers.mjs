import { whyNoGoYamux } from '../go-yamux.mjs';
import { columns, countOfStreams, moved, reading, share } from '../moved.mjs';

/** Bytes through one, three and five streams, against other multiplexers. */
export const name = 'multiplexers';

/** A slow one moves a `part` of the bytes. Targets say how its rate compares with rx-amanda's. */
const cases = [
  { ...reading.keeping, name: 'rx-amanda' },
  { name: 'node:http2, windows of 16 MiB', peer: 'http2', part: 0.5, times: 1.8 },
  { name: 'multiplex', peer: 'multiplex', part: 0.5, times: 1.8 },
  { name: '@libp2p/yamux', peer: 'yamux', part: 0.25, times: 1.8 },
  { name: 'rsocket-js, 16 MiB requested', peer: 'rsocket', part: 0.25, times: 1.8 },
  { name: "Go's yamux", peer: 'go-yamux', part: 0.5, times: 1.4, missing: whyNoGoYamux() },
];

export function groups({ gib }) {
  return [1, 3, 5].flatMap((streams) => [32, 256].map((kib) => group(gib, streams, kib)));
}

function group(gib, streams, kib) {
  const size = kib * 1024;
  const amount = (part) => ({
    total: share(gib * 4 * part * 2 ** 30, streams, size),
    size,
    streams,
  });
  return {
    title: `${countOfStreams(streams)}, up to ${gib * 4} GiB in writes of ${kib} KiB`,
    columns,
    cases: cases.map(({ part = 1, times, ...one }) => ({
      ...one,
      // The ratio is to rx-amanda, so `times` as fast means 1 / `times` of its rate.
      targets: times === undefined ? {} : { rate: ['≤', Number((1 / times).toFixed(2))] },
      run: () => moved(one, amount(part)),
    })),
  };
}
