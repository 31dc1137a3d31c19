import { whyNoGoYamux } from '../go-yamux.mjs';
import { share, throughput } from '../processes.mjs';

/** Bytes through one, three and five streams, against what else moves them. */
export const name = 'streams';

const columns = [
  { key: 'rate', label: 'GB/s' },
  { key: 'receiving', label: 'CPU s/GB receiving' },
  { key: 'sending', label: 'sending' },
  { key: 'rss', label: 'peak RSS MiB', digits: 0 },
];

export function groups({ gib }) {
  return [...besideOthers(gib), besideOne(gib)];
}

function besideOthers(gib) {
  return [1, 3, 5].flatMap((streams) =>
    [32, 256].map((kib) => {
      const size = kib * 1024;
      return {
        title: `${streams === 1 ? 'One stream' : `${streams} streams`}, ${gib * 4} GiB in writes of ${kib} KiB, the first quarter not counted`,
        columns,
        cases: contenders.map(({ name, missing, peer, variant, part = 1 }) => {
          // The slow ones move less.
          const total = share(gib * 4 * part * 2 ** 30, streams, size);
          return { name, missing, run: () => run(peer, variant, total, size, streams) };
        }),
      };
    }),
  );
}

/** What more streams cost, each round in the same minute. */
function besideOne(gib) {
  const size = 32 * 1024;
  return {
    title: `rx-amanda, ${gib * 4} GiB through one stream and through several, in writes of 32 KiB, the first quarter not counted`,
    columns,
    cases: [1, 3, 5].map((streams) => {
      const total = share(gib * 4 * 2 ** 30, streams, size);
      return {
        name: streams === 1 ? 'one stream' : `${streams} streams`,
        run: () => run('amanda', 'plain', total, size, streams),
      };
    }),
  };
}

const contenders = [
  { name: 'bare net.Socket, onread', peer: 'socket', variant: 'onread' },
  { name: 'bare net.Socket, data events', peer: 'socket', variant: 'data' },
  { name: 'rx-amanda, Connection to Connection', peer: 'amanda', variant: 'plain' },
  { name: 'rx-amanda, memory lent', peer: 'amanda', variant: 'lent' },
  { name: 'rx-amanda, recorded by record()', peer: 'amanda', variant: 'recorded' },
  { name: 'node:http2', peer: 'http2', variant: '-', part: 0.5 },
  {
    name: "Go's hashicorp/yamux",
    missing: whyNoGoYamux(),
    peer: 'go-yamux',
    variant: '-',
    part: 0.5,
  },
  { name: '@libp2p/yamux', peer: 'yamux', variant: '-', part: 0.25 },
  { name: 'multiplex', peer: 'multiplex', variant: '-', part: 0.5 },
  { name: 'rsocket-js, 16 MiB asked for', peer: 'rsocket', variant: '-', part: 0.25 },
];

async function run(peer, variant, total, size, streams) {
  const { rss, ...figures } = await throughput(
    peer,
    [variant, total, size, streams],
    total * streams,
    { warmUp: (total * streams) / 4 },
  );
  return { ...figures, rss: rss / 2 ** 20 };
}
