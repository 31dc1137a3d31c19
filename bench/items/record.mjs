import { throughput } from '../processes.mjs';

/**
 * What `record()` takes of a connection's throughput in the long run. The collections that come with it are most frequent in the first second, and its code is compiled there;
 * a run of few seconds would measure that.
 */
export const name = 'record';

const SIZE = 32_768;

export function groups({ gib }) {
  return [1, 3, 5].map((streams) => {
    const total = Math.round((gib * 8 * 2 ** 30) / streams / SIZE) * SIZE;
    const run = async (variant) => {
      const { rss, ...figures } = await throughput('amanda', [variant, total, SIZE, streams], total * streams, (total * streams) / 4);
      return { ...figures, rss: rss / 2 ** 20 };
    };
    return {
      title: `${streams === 1 ? 'One stream' : `${streams} streams`} recorded, ${gib * 8} GiB in writes of 32 KiB, the first quarter not counted`,
      columns: [
        { key: 'rate', label: 'GB/s' },
        { key: 'receiving', label: 'CPU s/GB receiving' },
        { key: 'rss', label: 'peak RSS MiB', digits: 0 },
      ],
      cases: [
        { name: 'rx-amanda', run: () => run('plain') },
        { name: 'rx-amanda, recorded by record()', run: () => run('recorded') },
      ],
    };
  });
}
