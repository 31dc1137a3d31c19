import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { AMANDAD, connectReserved, forkingTarget, whyNoRealAmandad } from '../real-amandad.mjs';
import { answer, close } from '../peers/bare-answers.mjs';
import { noopOver } from '../raw-noop.mjs';

/** A process for each connection, or for the first one, as inetd starts it: the time to the ACK. */
export const name = 'start';

const OURS = fileURLToPath(new URL('../../dist/bin/rx-amandad.cjs', import.meta.url));

/** The shortest possible program: no module, no check, no service. */
const shortest = `
const [answer, close] = ${JSON.stringify([answer, close].map((bytes) => bytes.toString('hex')))}
  .map((hex) => Buffer.from(hex, 'hex'));
process.stdin.once('data', () => {
  process.stdout.write(answer);
  process.stdin.once('data', () => process.stdout.write(close, () => process.exit()));
});`;

/** A folder of the target's own: the benchmark mounts a private one there. */
const cache = ['-E', 'NODE_COMPILE_CACHE=/var/lib/amanda/compile-cache'];

export function groups({ starts }) {
  const missing = whyNoRealAmandad();
  const noCache =
    module.enableCompileCache === undefined
      ? `Node ${process.versions.node} has no compile cache`
      : undefined;
  const target = (...words) => [process.execPath, OURS, '-auth=bsdtcp', ...words, 'amdump'];
  return [
    {
      title:
        `Started for each connection, ${starts} times one after another; ` +
        'with "wait" for the first',
      columns: [
        { key: 'ack', label: 'ms to the ACK', digits: 1 },
        { key: 'first', label: 'the first', digits: 1 },
        { key: 'rep', label: 'ms to the REP', digits: 1 },
        { key: 'end', label: 'ms to the end', digits: 1 },
      ],
      cases: [
        { name: 'C amandad 3.5.1', command: [AMANDAD, '-auth=bsdtcp', 'amdump'] },
        { name: 'rx-amandad, the real noop executable', command: target() },
        { name: 'rx-amandad, own noop', command: target('-own') },
        {
          name: 'rx-amandad, own noop, compile cache',
          command: [...cache, ...target('-own')],
          missing: noCache,
        },
        {
          name: 'a Node script that answers with fixed bytes',
          command: [process.execPath, '-e', shortest],
        },
        { name: 'rx-amandad, the real noop executable, "wait"', command: target(), waits: true },
        { name: 'rx-amandad, own noop, "wait"', command: target('-own'), waits: true },
      ].map(({ name, command, waits = false, missing: why = missing }) => ({
        name,
        ...(why === undefined ? { run: () => run(command, waits, starts) } : { missing: why }),
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
