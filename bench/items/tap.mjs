import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpuOf, end, memoryOf, message, peer } from '../processes.mjs';

/** The cost of a tap between two programs. */
export const name = 'tap';

const rxAmanda = fileURLToPath(new URL('../../dist/cli/rx-amanda/rx-amanda.js', import.meta.url));

export function groups({ gib }) {
  return [32_768, 512].map((size) => {
    // Small frames move fewer bytes, because their number is what costs.
    const total = Math.round((gib * (size < 4_096 ? 1 / 4 : 1) * 2 ** 30) / size) * size;
    return {
      title: `${(total / 2 ** 30).toFixed(2)} GiB in frames of ${size} bytes, from a target through a relay to an initiator`,
      columns: [
        { key: 'rate', label: 'GB/s' },
        { key: 'cpu', label: 'CPU s/GB of the relay' },
        { key: 'rss', label: 'peak RSS MiB', digits: 0 },
      ],
      note: 'Ratios are to a plain relay, pipe() in both directions. The live view goes to /dev/null.',
      cases: [
        {
          name: 'plain Node relay, pipe()',
          run: () => measured(total, size, (port) => pipes(port)),
        },
        {
          name: 'plain Node relay, pipe(), and into a file',
          run: () =>
            inFolder((cwd) => measured(total, size, (port) => pipes(port, join(cwd, 'copy')))),
        },
        { name: 'no relay', run: () => measured(total, size, (port) => ({ port })) },
        ...[
          ['--quiet'],
          [],
          ['--quiet', '--json', 'tap.jsonl'],
          ['--quiet', '--pcap', 'tap.pcap'],
        ].map((words) => ({
          name: ['rx-amanda tap', ...words].join(' '),
          run: () => inFolder((cwd) => measured(total, size, (port) => tap(port, words, cwd))),
        })),
      ],
    };
  });
}

/** `between` starts a relay in front of the target's port and returns the port to use instead. */
async function measured(total, size, between) {
  const target = peer('tap', 'send', total, size);
  const { port } = await message(target, 'port');
  const relay = await between(port);
  const initiator = peer('tap', 'receive', relay.port);
  await message(initiator, 'connected');
  const before = relay.child === undefined ? NaN : cpuOf(relay.child.pid);
  initiator.send('go');
  const { bytes, seconds } = await message(initiator, 'result');
  const cpu = relay.child === undefined ? NaN : cpuOf(relay.child.pid) - before;
  const rss = relay.child === undefined ? NaN : memoryOf(relay.child.pid, 'VmHWM') / 2 ** 20;
  await Promise.all([initiator, target].map(end));
  if (relay.child !== undefined) await interrupt(relay.child);
  if (bytes < total) throw new Error(`${bytes} of ${total} bytes came`);
  return { rate: total / seconds / 1e9, cpu: cpu / (total / 1e9), rss };
}

async function pipes(...words) {
  const child = peer('tap', 'relay', ...words);
  return { child, port: (await message(child, 'port')).port };
}

async function tap(target, words, cwd) {
  const port = await freePort();
  const stdio = ['ignore', 'ignore', words.includes('--quiet') ? 'inherit' : 'ignore'];
  const child = spawn(
    process.execPath,
    [rxAmanda, 'tap', String(port), `127.0.0.1:${target}`, ...words],
    { cwd, stdio },
  );
  return { child, port };
}

async function interrupt(child) {
  const over = once(child, 'exit');
  child.kill('SIGINT');
  await over;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function inFolder(use) {
  const folder = await mkdtemp(join(tmpdir(), 'rx-amanda-bench-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
