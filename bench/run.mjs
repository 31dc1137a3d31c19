/**
 * What rx-amanda costs against bare sockets, other multiplexers and the real amandad.
 *
 *     npm run bench -- [ITEM…] [--rounds N] [--gib N] [--node PATH…] [--json] [--plot FILE]
 *
 * The contenders of a group run in turn in every round, each in processes of its own over loopback.
 * Figures are medians over the rounds; ratios are taken within a round. `--node` adds a version of
 * Node to the item `heavy`. `--only TEXT` picks the groups with that text in their title.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { watchOthers } from './machine.mjs';
import { measure, tableText } from './measure.mjs';
import { plotText } from './plot.mjs';

const ITEMS = [
  'streams',
  'heavy',
  'ssl',
  'multiplexers',
  'record',
  'frames',
  'service',
  'noop',
  'idle',
  'start',
  'fleet',
  'slow',
  'growth',
  'tap',
  'dump',
  'import',
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    gib: { type: 'string', default: '2' },
    frames: { type: 'string', default: '4000000' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '10000' },
    starts: { type: 'string', default: '20' },
    targets: { type: 'string', default: '1000' },
    node: { type: 'string', multiple: true, default: [] },
    only: { type: 'string' },
    plot: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const sizes = Object.fromEntries(
  ['gib', 'frames', 'seconds', 'connections', 'starts', 'targets'].map((name) => [
    name,
    positive(name),
  ]),
);
const rounds = positive('rounds');
const unknown = positionals.filter((name) => !ITEMS.includes(name));
if (unknown.length > 0)
  stop(`There is no benchmark ${unknown.join(', ')}; there are ${ITEMS.join(', ')}.`);

const results = [];
for (const name of ITEMS.filter((item) => positionals.length === 0 || positionals.includes(item))) {
  const item = await import(`./items/${name}.mjs`);
  for (const group of item.groups({ ...sizes, node: values.node })) {
    if (values.only !== undefined && !group.title.includes(values.only)) continue;
    const others = watchOthers();
    const result = {
      item: name,
      axis: group.axis,
      xs: group.cases.map(({ x }) => x),
      ...(await measure(group, { rounds, progress })),
      others: others(),
    };
    results.push(result);
    if (!values.json) console.log(`\n${tableText(result)}`);
  }
}
if (values.json) console.log(JSON.stringify(results, undefined, 2));
if (values.plot !== undefined) {
  await writeFile(values.plot, plotText(results.filter(({ axis }) => axis !== undefined)));
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r${text}\u001b[K`);
}

function positive(name) {
  const number = Number(values[name]);
  if (!(number > 0)) stop(`--${name} takes a number over 0, not ${values[name]}`);
  return number;
}

function stop(text) {
  console.error(text);
  process.exit(2);
}
