import { connect } from 'node:net';
import { connectReserved, forkingTarget, whyNoRealAmandad } from '../real-amandad.mjs';
import { descendants, end, memoryOf, message, peer } from '../processes.mjs';
import { noop } from '../raw-noop.mjs';

/** Open connections that send nothing: the cost of each, and a request among them. */
export const name = 'idle';

export function groups({ connections }) {
  const missing = whyNoRealAmandad();
  return [
    {
      title: `${connections} open connections that say nothing (the real amandad: 20)`,
      columns: [
        { key: 'memory', label: 'KiB a connection', digits: 1 },
        { key: 'noop', label: 'noop among them, ms' },
        { key: 'total', label: 'all, MiB', digits: 0 },
      ],
      cases: [
        { name: 'bare net.Server', run: () => idle('bare', connections) },
        { name: 'rx-amanda, one process', run: () => idle('own', connections) },
        {
          name: 'C amandad 3.5.1, forked for each (proportional set size)',
          ...(missing === undefined ? { run: () => idleReal(20) } : { missing }),
        },
      ],
    },
  ];
}

async function idle(kind, count) {
  const target = peer('noop-target', kind);
  try {
    const { port } = await message(target, 'port');
    if (kind !== 'bare') for (let warm = 0; warm < 200; warm += 1) await noop(port);
    const before = await memory(target);
    const sockets = [];
    // In portions, so that a full backlog drops no connection.
    while (sockets.length < count)
      sockets.push(
        ...(await Promise.all(
          Array.from({ length: Math.min(250, count - sockets.length) }, () => opened(port)),
        )),
      );
    const latency = kind === 'bare' ? NaN : (await noop(port)).rep;
    const after = await memory(target);
    for (const socket of sockets) socket.resetAndDestroy();
    return {
      memory: (after - before) / count / 1024,
      noop: latency,
      total: (after - before) / 2 ** 20,
    };
  } finally {
    await end(target);
  }
}

async function memory(target) {
  target.send('memory?');
  return (await message(target, 'memory')).rss;
}

function opened(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket)).on('error', reject);
  });
}

async function idleReal(count) {
  const target = await forkingTarget();
  try {
    const sockets = await Promise.all(
      Array.from({ length: count }, () => connectReserved(target.port)),
    );
    const processes = await settled(() => descendants(target.pid), count);
    const total = processes.reduce((sum, pid) => sum + memoryOf(pid, 'Pss'), 0);
    for (const socket of sockets) socket.destroy();
    return { memory: total / count / 1024, noop: NaN, total: total / 2 ** 20 };
  } finally {
    await target.close();
  }
}

/** The processes, when all of them exist and their memory has stopped growing. */
async function settled(look, count) {
  let last = -1;
  for (let turn = 0; turn < 200; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const processes = look();
    const sum = processes.reduce((total, pid) => total + memoryOf(pid, 'VmRSS'), 0);
    if (processes.length === count && sum === last) return processes;
    last = sum;
  }
  throw new Error('the processes of amandad did not come to rest');
}
