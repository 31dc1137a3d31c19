import { columns, countOfStreams, moved, reading, share } from '../moved.mjs';

/**
 * What `record()` costs a connection in the long run, in a program and in a plain process.
 * The run is long because its code is compiled and most collections happen in the first second.
 */
export const name = 'record';

const SIZE = 32 * 1024;
/** MiB of objects: a program's, and none. */
const PLACES = [16, 0];

const cases = [
  { ...reading.keeping, name: 'rx-amanda' },
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
