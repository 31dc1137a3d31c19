import { columns, countOfStreams, moved, reading, share } from '../moved.mjs';

/**
 * What `record()` costs a connection in the long run, in a program and in a plain process.
 * The run is long because its code is compiled in the first second. Both readers lease: the rate of
 * a keeping one depends on when V8 collects, by more than what a recording costs.
 */
export const name = 'record';

const SIZE = 32 * 1024;
/** MiB of objects: a program's, and none. */
const PLACES = [16, 0];

const cases = [
  { ...reading.leasing, name: 'rx-amanda' },
  {
    name: 'rx-amanda, recorded by record()',
    peer: 'amanda',
    variant: 'recorded',
    targets: { rate: ['≥', 0.95] },
  },
];

export function groups({ gib }) {
  return PLACES.flatMap((ownMib) =>
    [1, 3, 5].map((streams) => {
      const total = share(gib * 8 * 2 ** 30, streams, SIZE);
      return {
        title: `${countOfStreams(streams)} recorded, ${ownMib} MiB of objects, ${gib * 8} GiB`,
        columns,
        cases: cases.map((one) => ({
          ...one,
          run: () => moved(one, { total, size: SIZE, streams, ownMib }),
        })),
      };
    }),
  );
}
