import { columns, countOfStreams, moved, reading, share } from '../moved.mjs';

/** Bytes through one, three and five streams in a plain process, against a bare socket. */
export const name = 'streams';

export function groups({ gib }) {
  const bytes = gib * 4 * 2 ** 30;
  const besideSocket = [1, 3, 5].flatMap((streams) =>
    [32, 256].map((kib) => besideBareSocket(bytes, streams, kib)),
  );
  return [...besideSocket, besideOneStream(bytes)];
}

const cases = [
  reading.reused,
  reading.data,
  { ...reading.keeping, targets: { rate: ['≥', 0.95], receiving: ['≤', 1] } },
  { ...reading.leasing, targets: { rate: ['≥', 1.1], receiving: ['≤', 1] } },
];

function besideBareSocket(bytes, streams, kib) {
  const size = kib * 1024;
  const amount = { total: share(bytes, streams, size), size, streams };
  return {
    title: `${countOfStreams(streams)}, ${gibOf(bytes)} in writes of ${kib} KiB`,
    columns,
    cases: cases.map((one) => ({ ...one, run: () => moved(one, amount) })),
  };
}

/** What more streams cost. */
function besideOneStream(bytes) {
  const size = 32 * 1024;
  return {
    title: `rx-amanda, keeping, ${gibOf(bytes)} in writes of 32 KiB`,
    columns,
    cases: [1, 3, 5].map((streams) => ({
      name: countOfStreams(streams),
      targets: streams === 1 ? {} : { rate: ['≥', 0.95] },
      run: () => moved(reading.keeping, { total: share(bytes, streams, size), size, streams }),
    })),
  };
}

function gibOf(bytes) {
  return `${bytes / 2 ** 30} GiB`;
}
