/** How much of the machine others use while something is measured. */
import { readFileSync } from 'node:fs';
import { cpuOf } from './processes.mjs';

/** Processors in use, since this call, that are not used by this process and its ended children. */
export function watchOthers() {
  const before = busySeconds();
  const from = performance.now();
  return () => (busySeconds() - before) / ((performance.now() - from) / 1_000);
}

function busySeconds() {
  const [line] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const [user, nice, system] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system) / 100 - cpuOf(process.pid);
}
