/** Starts the processes that are measured, talks to them and reads what they cost. */
import { fork } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Starts `bench/peers/NAME.mjs` with these words. It talks through `process.send`. */
export function peer(name, ...words) {
  return startPeer({}, name, words);
}

/**
 * `warmUp` are bytes that are not counted. `ownMib` is what the process holds besides, in MiB.
 * `sslDir` holds certificates. `node` is the program that runs the peer; default this one.
 */
function startPeer({ warmUp = 0, ownMib = 0, sslDir, node = process.execPath }, name, words) {
  const env = { ...process.env, BENCH_WARM_UP: String(warmUp), BENCH_OWN_MIB: String(ownMib) };
  if (sslDir !== undefined) env.BENCH_SSL_DIR = sslDir;
  const file = fileURLToPath(new URL(`peers/${name}.mjs`, import.meta.url));
  return fork(file, words.map(String), { env, execPath: node });
}

/** The next message of a kind from a process. Rejects when the process ends first. */
export function message(child, kind) {
  return new Promise((resolve, reject) => {
    const done = () => {
      child.off('message', take);
      child.off('exit', over);
    };
    const take = (said) => {
      if (said.kind !== kind) return;
      done();
      resolve(said);
    };
    const over = (code, signal) => {
      done();
      reject(
        new Error(`A process of the bench ended with ${signal ?? code} before it said ${kind}.`),
      );
    };
    child.on('message', take).on('exit', over);
  });
}

/** Ends a process that this bench started, and waits for its end. */
export async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  await over;
}

/**
 * Two processes over loopback: the first listens and sends, the second connects and receives.
 * The first `warmUp` bytes are not counted. Each process holds `ownMib` besides.
 * The receiver runs on `node`, the sender on the Node of the bench.
 */
export async function throughput(name, words, bytes, { node, ...limits } = {}) {
  const sender = startPeer(limits, name, ['send', ...words]);
  const { port } = await message(sender, 'port');
  const receiver = startPeer({ ...limits, node }, name, ['receive', ...words, port]);
  receiver.on('message', ({ kind }) => kind === 'warm' && sender.send('warm'));
  const [got, sent] = await Promise.all([message(receiver, 'result'), message(sender, 'result')]);
  await Promise.all([end(receiver), end(sender)]);
  if (got.bytes !== bytes)
    throw new Error(`${name} ${words.join(' ')} moved ${got.bytes} bytes instead of ${bytes}`);
  const gigabytes = got.counted / 1e9;
  return {
    rate: gigabytes / got.seconds,
    receiving: got.cpu / gigabytes,
    sending: sent.cpu / gigabytes,
    receiverIdle: 1 - got.cpu / got.seconds,
    senderIdle: 1 - sent.cpu / sent.wall,
    rss: Math.max(got.rss, sent.rss),
  };
}

/** Seconds of processor time of a process and of its children that were reaped. */
export function cpuOf(pid) {
  const fields = statOf(pid);
  return fields === undefined
    ? 0
    : (Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])) / 100;
}

/** Processor time of a process and of its living descendants. */
export function cpuOfTree(pid) {
  return [pid, ...descendants(pid)].reduce((sum, one) => sum + cpuOf(one), 0);
}

export function descendants(pid) {
  const parents = new Map();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? statOf(name)?.[1] : undefined;
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const found = [];
  for (let level = [pid]; level.length > 0;) {
    level = [...parents].filter(([, parent]) => level.includes(parent)).map(([child]) => child);
    found.push(...level);
  }
  return found;
}

/** Fields of /proc/PID/stat from the state on; undefined when the process is gone. */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** A figure of /proc/PID/status or smaps_rollup in bytes: `VmRSS`, `VmHWM`, `Pss`. */
export function memoryOf(pid, field = 'VmRSS') {
  const file = field === 'Pss' ? 'smaps_rollup' : 'status';
  const [, kib] =
    new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8')) ??
    [];
  return Number(kib) * 1024;
}
