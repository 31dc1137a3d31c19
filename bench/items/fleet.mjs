import { end, message, peer } from '../processes.mjs';

/** One process that asks each of many targets for a noop and a dump. */
export const name = 'fleet';

export function groups({ targets }) {
  const bytes = 10_000_000;
  return [
    {
      title: `A noop and a dump of 10 MB from each of ${targets} targets`,
      columns: [
        { key: 'seconds', label: 'wall s' },
        { key: 'cpu', label: 'CPU s' },
        { key: 'rss', label: 'peak RSS MiB', digits: 0 },
        { key: 'rate', label: 'GB/s' },
        { key: 'failed', label: 'failed', digits: 0 },
      ],
      cases: [16, 64, 256].map((atOnce) => ({
        name: `${atOnce} at once`,
        run: () => run(targets, bytes, atOnce),
      })),
    },
  ];
}

async function run(targets, bytes, atOnce) {
  const fleet = peer('fleet-target', targets, bytes);
  try {
    const { port } = await message(fleet, 'port');
    const initiator = peer('fleet-initiator', targets, bytes, atOnce, port);
    const { seconds, cpu, rss, done, failed, failures } = await message(initiator, 'result');
    await end(initiator);
    if (failed > 0) process.stderr.write(`\n${failed} failed: ${failures.join('; ')}\n`);
    return { seconds, cpu, rss: rss / 2 ** 20, rate: (done * bytes) / 1e9 / seconds, failed };
  } finally {
    await end(fleet);
  }
}
