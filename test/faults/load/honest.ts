import { firstValueFrom } from 'rxjs';
import { bsdtcp } from '../../../src/drivers/bsdtcp.js';
import { connect } from '../../../src/initiator/connect.js';
import { noop } from '../../../src/initiator/noop.js';

/** How long noops took from their connection on, in milliseconds. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** A driver for a target that lets everybody in. */
export function anyPort(port: number) {
  return bsdtcp({ host: '127.0.0.1', port, user: 'backup', reservedPorts: false });
}

/** One noop over a connection of its own. */
export async function askNoop(port: number): Promise<number> {
  const begin = performance.now();
  await firstValueFrom(connect(anyPort(port), { connectTries: 1 }).pipe(noop()));
  return performance.now() - begin;
}

/**
 * An honest peer beside a flood: one noop after the other until it is over, and at least `least` of
 * them.
 */
export async function askWhile(
  port: number,
  over: Promise<unknown>,
  least = 20,
): Promise<Latencies> {
  let isOver = false;
  const done = over.finally(() => (isOver = true));
  const taken: number[] = [];
  while (!isOver || taken.length < least) taken.push(await askNoop(port));
  await done;
  return latencies(taken);
}

export function latencies(taken: readonly number[]): Latencies {
  const sorted = taken.toSorted((a, b) => a - b);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? NaN;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

export function showLatencies({ count, p50, p99, max }: Latencies): string {
  return `${p50.toFixed(1)} / ${p99.toFixed(1)} / ${max.toFixed(1)} ms of ${count}`;
}
