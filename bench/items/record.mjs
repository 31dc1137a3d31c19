import { share, throughput } from '../processes.mjs';

/**
 * What `record()` takes of a connection's throughput in the long run. The collections that come with it are most frequent in the first second, and its code is compiled there;
 * a run of few seconds would measure that.
 *
 * In a process that does nothing else and in a program: below 8 MiB of old objects V8 does not begin to collect everything. The library alone takes nearly so much,
 * so that a little beside it, a recording's too, can be what begins it, and would be charged with the whole of each such collection. A program with objects of its own is past that, recorded or not.
 */
export const name = 'record';

const SIZE = 32_768;
/** In MiB. */
const PROGRAM = 16;

export function groups({ gib }) {
  return [PROGRAM, 0].flatMap((ownMib) =>
    [1, 3, 5].map((streams) => {
      const total = share(gib * 8 * 2 ** 30, streams, SIZE);
      const run = async (variant) => {
        const limits = { warmUp: (total * streams) / 4, ownMib };
        const { rss, ...figures } = await throughput(
          'amanda',
          [variant, total, SIZE, streams],
          total * streams,
          limits,
        );
        return { ...figures, rss: rss / 2 ** 20 };
      };
      return {
        title: `${streams === 1 ? 'One stream' : `${streams} streams`} recorded ${place(ownMib)}, ${gib * 8} GiB in writes of 32 KiB, the first quarter not counted`,
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
    }),
  );
}

function place(ownMib) {
  return ownMib === 0
    ? 'in a process that does nothing else'
    : `in a program with ${ownMib} MiB of objects of its own`;
}
