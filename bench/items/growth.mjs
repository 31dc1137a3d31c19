import { end, message, peer, throughput } from '../processes.mjs';

/** How cost grows with streams, connections, frame size, the programs' objects and unread bytes. */
export const name = 'growth';

const columns = [
  { key: 'cpu', label: 'CPU s/GB, both sides' },
  { key: 'rate', label: 'GB/s' },
  { key: 'rss', label: 'peak RSS MiB', digits: 0 },
];

/** `axis` and each case's `x` are for the plot. */
export function groups({ gib }) {
  const total = (size, part = 1) => Math.round((gib * part * 2 ** 30) / size) * size;
  const group = (title, axis, xs, run) => ({
    title,
    axis,
    columns,
    cases: xs.map((x) => ({ name: `${label(x, axis)}`, x, run: () => run(x) })),
  });
  return [
    group(
      'Streams on one connection, 32 KiB writes',
      'streams',
      [1, 2, 4, 8, 16, 32, 64],
      (streams) =>
        through('amanda', ['plain', total(32_768 * streams) / streams, 32_768, streams], streams),
    ),
    group('Size of frames', 'bytes a frame', [64, 256, 1_024, 4_096, 16_384, 32_768], (size) =>
      // Small frames move fewer bytes, because their number is what costs.
      through('amanda', ['plain', total(size, Math.min(1, size / 4_096)), size, 1], 1),
    ),
    group(
      'Connections between two processes, 32 KiB writes',
      'connections',
      [1, 4, 16, 64, 256, 1_024],
      (count) => {
        const each = Math.max(1, Math.floor(total(32_768) / count / 32_768)) * 32_768;
        return through('connections', [count, each * count, 32_768, 1], 1);
      },
    ),
    group(
      'Objects of both programs themselves, one stream',
      'MiB',
      [1, 2, 4, 8, 16, 32],
      (ownMib) => through('amanda', ['plain', total(32_768), 32_768, 1], 1, { ownMib }),
    ),
    group(
      'Bytes that wait for their reader, frames of 1 KiB',
      'KiB waiting',
      [64, 256, 1_024, 4_096, 16_384, 65_536],
      (kib) => backlog(kib * 1_024, total(1_024, 0.5)),
    ),
  ];
}

function label(x, axis) {
  return `${x} ${axis}`;
}

async function through(name, words, streams, limits) {
  const total = Number(words[1]) * streams;
  const { rate, receiving, sending, rss } = await throughput(name, words, total, limits);
  return { rate, cpu: receiving + sending, rss: rss / 2 ** 20 };
}

async function backlog(held, total) {
  const child = peer('backlog', 'receive', held, Math.max(total, held), 1_024);
  const { bytes, seconds, cpu, rss } = await message(child, 'result');
  await end(child);
  return { rate: bytes / 1e9 / seconds, cpu: cpu / (bytes / 1e9), rss: rss / 2 ** 20 };
}
