import { connectReserved, forkingTarget, privatePeer, whyNoRealAmandad } from '../real-amandad.mjs';
import { quantile } from '../measure.mjs';
import { cpuOf, end, message, peer } from '../processes.mjs';
import { noop, noopOver } from '../raw-noop.mjs';

/** Whole exchanges: connect, REQ, ACK, REP, ACK, close. */
export const name = 'noop';

const columns = [
  { key: 'rate', label: 'a second', digits: 0 },
  { key: 'p50', label: 'p50 ms' },
  { key: 'p99', label: 'p99 ms' },
  { key: 'cpu', label: "target's CPU ms each" },
];

export function groups({ seconds }) {
  return [1, 256].map((atOnce) => ({
    title: atOnce === 1 ? 'noop, one after another' : `noop, ${atOnce} at once`,
    columns,
    note: 'The forked target requires reserved ports and looks up names, like the one with .amandahosts.',
    cases: [
      {
        name: 'C amandad 3.5.1, forked for each connection',
        ...(real() ?? { run: () => onReal(atOnce, seconds) }),
      },
      { name: 'rx-amanda, one process, own noop', run: () => onOurs('own', atOnce, seconds) },
      {
        name: 'rx-amanda, the same with an .amandahosts, and names looked up',
        run: () => onOurs('checked', atOnce, seconds),
      },
      {
        name: 'bare net.Server that answers with fixed bytes',
        run: () => onOurs('answering', atOnce, seconds),
      },
      {
        name: 'rx-amanda, one process, the real noop executable',
        ...(real() ?? { run: () => onOurs('executable', atOnce, seconds) }),
      },
    ],
  }));
}

function real() {
  const missing = whyNoRealAmandad();
  return missing === undefined ? undefined : { missing };
}

async function onOurs(kind, atOnce, seconds) {
  const target =
    kind === 'executable' ? privatePeer('noop-target', kind) : peer('noop-target', kind);
  const { port } = await message(target, 'port');
  try {
    return await load(() => noop(port), target.pid, atOnce, seconds);
  } finally {
    await end(target);
  }
}

async function onReal(atOnce, seconds) {
  const target = await forkingTarget();
  try {
    return await load(
      async () => {
        const started = performance.now();
        return noopOver(await connectReserved(target.port), started);
      },
      target.pid,
      atOnce,
      seconds,
    );
  } finally {
    await target.close();
  }
}

/** Milliseconds after which V8 has compiled a target's hot code. */
const WARM_UP = 1_500;

/** Repeats the request, `atOnce` at a time, after a warm-up. */
async function load(ask, pid, atOnce, seconds) {
  const times = [];
  const begin = performance.now() + WARM_UP;
  const over = begin + seconds * 1_000;
  let cpu;
  const worker = async () => {
    while (performance.now() < over) {
      const started = performance.now();
      await ask();
      if (started < begin) continue;
      cpu ??= cpuOf(pid);
      times.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const elapsed = (performance.now() - begin) / 1_000;
  const used = cpuOf(pid) - cpu;
  return {
    rate: times.length / elapsed,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    cpu: (used * 1_000) / times.length,
  };
}
