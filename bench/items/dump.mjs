import { spawn } from 'node:child_process';
import { existsSync, openSync, closeSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { end, memoryOf, message, peer } from '../processes.mjs';

/** What it costs to receive a dump into a file. */
export const name = 'dump';

const rxAmanda = fileURLToPath(new URL('../../dist/cli/rx-amanda/rx-amanda.js', import.meta.url));
const ourPeer = fileURLToPath(new URL('../peers/dump.mjs', import.meta.url));
/** A folder in memory if there is one, because this bench is not about disks. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export function groups({ gib }) {
  const bytes = Math.round(gib * 2 ** 30);
  const fromAmanda = (words) => () => measured(['fleet-target', 1, bytes], bytes, words);
  const plain = (words) => () => measured(['dump', 'send', bytes], bytes, words);
  const dump = (file) => (port) => [
    rxAmanda,
    'dump',
    '--quiet',
    '--auth=bsdtcp',
    `--port=${port}`,
    '--no-index',
    '-o',
    file,
    '127.1.0.1',
    '/x',
  ];
  return [
    {
      title: `A dump of ${gib} GiB received by a program of its own, into a file in ${FOLDER}`,
      columns: [
        { key: 'rate', label: 'GB/s' },
        { key: 'cpu', label: 'CPU s/GB' },
        { key: 'rss', label: 'peak RSS MiB', digits: 0 },
      ],
      note: 'From the start of each process to its end. The plain ones neither count nor check.',
      cases: [
        {
          name: 'plain Node socket, pipe() into a file',
          run: plain((port, file) => [ourPeer, 'pipe', file, port]),
        },
        {
          name: 'plain Node socket, onread and writeSync',
          run: plain((port, file) => [ourPeer, 'onread', file, port]),
        },
        { name: 'rx-amanda dump -o FILE', run: fromAmanda((port, file) => dump(file)(port)) },
        { name: 'rx-amanda dump -o - >/dev/null', run: fromAmanda((port) => dump('-')(port)) },
        {
          name: 'receiveDump(), a sink with promises',
          run: fromAmanda((port, file) => [ourPeer, 'receiveDump', file, port]),
        },
      ],
    },
  ];
}

async function measured(source, bytes, words) {
  const target = peer(...source);
  const { port } = await message(target, 'port');
  const folder = await mkdtemp(join(FOLDER, 'rx-amanda-bench-'));
  const nothing = openSync('/dev/null', 'w');
  try {
    const file = join(folder, 'dump');
    const [cpu, started] = [cpuOfEnded(), process.hrtime.bigint()];
    const child = spawn(process.execPath, words(port, file), {
      stdio: ['ignore', nothing, 'inherit'],
    });
    let rss = 0;
    const watch = setInterval(() => (rss = memoryOf(child.pid, 'VmHWM') || rss), 20);
    const code = await new Promise((resolve) => child.once('exit', resolve));
    clearInterval(watch);
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    if (code !== 0) throw new Error(`${words(port, file).join(' ')} ended with ${code}`);
    if (existsSync(file) && (await stat(file)).size < bytes)
      throw new Error(`${(await stat(file)).size} of ${bytes} bytes came`);
    return {
      rate: bytes / seconds / 1e9,
      cpu: (cpuOfEnded() - cpu) / (bytes / 1e9),
      rss: rss / 2 ** 20,
    };
  } finally {
    closeSync(nothing);
    await Promise.all([end(target), rm(folder, { recursive: true })]);
  }
}

/** Processor seconds of the child processes that have ended. */
function cpuOfEnded() {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}
