import { columns, moved, reading, share } from '../moved.mjs';
import { howToAddNodes, nodes } from '../nodes.mjs';

/**
 * One stream in programs that hold objects of their own, on several versions of Node.
 * V8 looks at all of them in each full collection, and new buffers cause full collections.
 */
export const name = 'heavy';

/** MiB of objects. */
const SIZES = [2, 16, 64];

const cases = [
  reading.data,
  { ...reading.keeping, targets: { rate: ['≥', 1] } },
  reading.reused,
  { ...reading.leasing, against: reading.reused.name, targets: { rate: ['≥', 0.9] } },
];

export function groups({ gib, node: paths }) {
  const size = 32 * 1024;
  const total = share(gib * 4 * 2 ** 30, 1, size);
  return nodes(paths).flatMap(({ path: node, version }) =>
    SIZES.map((ownMib) => ({
      title: `Node ${version.slice(1)}, ${ownMib} MiB of objects, one stream, ${gib * 4} GiB`,
      ...(paths.length === 0 ? { note: howToAddNodes } : {}),
      columns,
      cases: cases.map((one) => ({ ...one, run: () => moved(one, { total, size, ownMib, node }) })),
    })),
  );
}
