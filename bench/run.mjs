/**
 * The benchmarks: what Connection to Connection costs against a bare socket that moves the same bytes.
 *
 *     npm run bench -- [--rounds N] [--gib N] [--json]
 *
 * Each contender is two processes over loopback. All contenders run in turn in every round, so that a
 * machine that changes its speed changes it for all; medians over the rounds, and ratios within a round.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    gib: { type: 'string', default: '2' },
    frames: { type: 'string', default: '4000000' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = positive('rounds', values.rounds);
const bytes = Math.round(positive('gib', values.gib) * 2 ** 30);
const frames = positive('frames', values.frames);

/** What is compared with what: the first of each group is the measure. */
const groups = [
  {
    title: `One stream, ${values.gib} GiB in writes of 32 KiB`,
    unit: 'GB/s',
    rate: ({ total, seconds }) => total / seconds / 1e9,
    cases: [
      { name: 'bare net.Socket, onread', kind: 'socket-onread', total: bytes, size: 32_768 },
      { name: 'bare net.Socket, data events', kind: 'socket-data', total: bytes, size: 32_768 },
      { name: 'rx-amanda, Connection to Connection', kind: 'amanda', total: bytes, size: 32_768 },
    ],
  },
  {
    title: `${frames} messages of 64 bytes through three RxJS operators`,
    unit: 'million/s',
    rate: ({ total, seconds }) => total / 64 / seconds / 1e6,
    cases: [
      { name: 'rx-amanda, Connection to Connection', kind: 'amanda', total: frames * 64, size: 64 },
      { name: 'bare net.Socket, one write a message', kind: 'socket-data', total: Math.round(frames / 16) * 64, size: 64 },
    ],
  },
];

const results = [];
for (const group of groups) results.push(await runGroup(group));
if (values.json) console.log(JSON.stringify(results, undefined, 2));

async function runGroup({ title, unit, rate, cases }) {
  const runs = cases.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, one] of cases.entries()) {
      if (!values.json) process.stderr.write(`\r${title}: round ${round + 1} of ${rounds}, ${one.name}\u001b[K`);
      runs[index].push(await runCase(one, rate));
    }
  }
  if (!values.json) process.stderr.write('\r\u001b[K');
  const rows = cases.map(({ name }, index) => summary(name, runs[index], runs[0]));
  if (!values.json) print(title, unit, rows);
  return { title, unit, rounds, rows };
}

async function runCase({ kind, total, size }, rate) {
  const receiver = peer(['receive', kind, total, size]);
  const { port } = await message(receiver, 'port');
  const sender = peer(['send', kind, total, size, port]);
  const [got, sent] = await Promise.all([message(receiver, 'result'), message(sender, 'result')]);
  if (got.bytes !== total) throw new Error(`${kind} moved ${got.bytes} of ${total} bytes`);
  const gigabytes = total / 1e9;
  return {
    rate: rate({ total, seconds: got.seconds }),
    receiving: got.cpu / gigabytes,
    sending: sent.cpu / gigabytes,
    rss: Math.max(got.rss, sent.rss),
  };
}

function peer(args) {
  return fork(fileURLToPath(new URL('peer.mjs', import.meta.url)), args.map(String));
}

/** The next message of a kind from a process; its failure is ours. */
function message(child, kind) {
  return new Promise((resolve, reject) => {
    const take = (said) => {
      if (said.kind !== kind) return;
      child.off('message', take);
      resolve(said);
    };
    child.on('message', take);
    child.once('exit', (code, signal) => {
      if (code !== 0) reject(new Error(`A bench process ended with ${signal ?? code}.`));
    });
  });
}

function summary(name, runs, baseline) {
  const ratios = runs.map(({ rate }, round) => rate / baseline[round].rate);
  return {
    name,
    rate: median(runs.map(({ rate }) => rate)),
    spread: [Math.min(...runs.map(({ rate }) => rate)), Math.max(...runs.map(({ rate }) => rate))],
    ratio: median(ratios),
    receiving: median(runs.map(({ receiving }) => receiving)),
    sending: median(runs.map(({ sending }) => sending)),
    rssMiB: median(runs.map(({ rss }) => rss)) / 2 ** 20,
  };
}

function print(title, unit, rows) {
  const table = rows.map(({ name, rate, spread, ratio, receiving, sending, rssMiB }) => [
    name,
    rate.toFixed(2),
    `${spread[0].toFixed(2)}–${spread[1].toFixed(2)}`,
    ratio.toFixed(2),
    receiving.toFixed(2),
    sending.toFixed(2),
    rssMiB.toFixed(0),
  ]);
  const head = ['', unit, 'spread', 'ratio', 'CPU s/GB receiving', 'sending', 'peak RSS MiB'];
  const widths = head.map((_, column) => Math.max(...[head, ...table].map((row) => row[column].length)));
  console.log(`\n${title}`);
  for (const row of [head, ...table])
    console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '));
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function positive(name, text) {
  const number = Number(text);
  if (!(number > 0)) {
    console.error(`--${name} takes a number over 0, not ${text}`);
    process.exit(2);
  }
  return number;
}
