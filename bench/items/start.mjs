import { fileURLToPath } from 'node:url';
import { AMANDAD, connectReserved, forkingTarget, whyNoRealAmandad } from '../real-amandad.mjs';
import { answer, close } from '../peers/bare-answers.mjs';
import { noopOver } from '../raw-noop.mjs';

/** A process started for each connection, or by the first of them, as inetd does: the time from connecting to the ACK. */
export const name = 'start';

const OURS = fileURLToPath(new URL('../../dist/bin/rx-amandad.cjs', import.meta.url));

/** The least that can be started: no module, no check, no service. */
const least = `
const [answer, close] = ${JSON.stringify([answer, close].map((bytes) => bytes.toString('hex')))}.map((hex) => Buffer.from(hex, 'hex'));
process.stdin.once('data', () => {
  process.stdout.write(answer);
  process.stdin.once('data', () => process.stdout.write(close, () => process.exit()));
});`;

export function groups({ starts }) {
  const missing = whyNoRealAmandad();
  return [
    {
      title: `Started for each connection, ${starts} times one after another; with "wait" for the first`,
      columns: [
        { key: 'ack', label: 'ms to the ACK', digits: 1 },
        { key: 'first', label: 'the first', digits: 1 },
        { key: 'rep', label: 'ms to the REP', digits: 1 },
        { key: 'end', label: 'ms to the end', digits: 1 },
      ],
      cases: [
        ['C amandad 3.5.1', [AMANDAD, '-auth=bsdtcp', 'amdump']],
        [
          'rx-amandad, the real noop executable',
          [process.execPath, OURS, '-auth=bsdtcp', 'amdump'],
        ],
        ['rx-amandad, own noop', [process.execPath, OURS, '-auth=bsdtcp', '-own', 'amdump']],
        ['a Node script that answers with fixed bytes', [process.execPath, '-e', least]],
        [
          'rx-amandad, the real noop executable, "wait"',
          [process.execPath, OURS, '-auth=bsdtcp', 'amdump'],
          true,
        ],
        [
          'rx-amandad, own noop, "wait"',
          [process.execPath, OURS, '-auth=bsdtcp', '-own', 'amdump'],
          true,
        ],
      ].map(([name, command, waits]) => ({
        name,
        ...(missing === undefined ? { run: () => run(command, waits, starts) } : { missing }),
      })),
    },
  ];
}

async function run(command, waits, starts) {
  const target = await forkingTarget({ command, waits });
  const times = [];
  try {
    for (let turn = 0; turn < starts; turn += 1) {
      const started = performance.now();
      times.push(await noopOver(await connectReserved(target.port), started));
    }
  } finally {
    await target.close();
  }
  const first = times[0].ack;
  const middle = (key) =>
    times.map((time) => time[key]).toSorted((a, b) => a - b)[times.length >> 1];
  return { ack: middle('ack'), first, rep: middle('rep'), end: middle('end') };
}
