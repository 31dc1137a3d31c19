import { whyNoGoYamux } from '../go-yamux.mjs';
import { throughput } from '../processes.mjs';

/** Small messages: the cost of a frame. */
export const name = 'frames';

const SIZE = 64;

export function groups({ frames }) {
  return [
    {
      title: `${frames} messages of ${SIZE} bytes, one stream`,
      columns: [
        { key: 'rate', label: 'million/s' },
        { key: 'receiving', label: 'CPU s/GB receiving' },
        { key: 'sending', label: 'sending' },
        { key: 'rss', label: 'peak RSS MiB', digits: 0 },
      ],
      cases: [
        ['rx-amanda, through three RxJS operators', 'amanda', 'operators', 1],
        ['rx-amanda', 'amanda', 'plain', 1],
        ['node:http2', 'http2', '-', 0.5],
        ["Go's hashicorp/yamux", 'go-yamux', '-', 1 / 32, whyNoGoYamux()],
        ['@libp2p/yamux', 'yamux', '-', 1 / 32],
        ['bare net.Socket, a write a message', 'socket', 'data', 1 / 16],
        ['multiplex', 'multiplex', '-', 1 / 32],
        ['rsocket-js', 'rsocket', '-', 1 / 32],
      ].map(([name, peer, variant, part, missing]) => ({
        name,
        missing,
        run: () => run(peer, variant, Math.round(frames * part)),
      })),
    },
  ];
}

async function run(peer, variant, count) {
  const { rate, rss, ...figures } = await throughput(
    peer,
    [variant, count * SIZE, SIZE, 1],
    count * SIZE,
  );
  return { ...figures, rate: (rate * 1e9) / SIZE / 1e6, rss: rss / 2 ** 20 };
}
