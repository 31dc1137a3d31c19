import type { Observer } from 'rxjs';
import { checkOptions } from '../wire/arguments.js';
import { AmandaError } from '../wire/errors.js';
import type { ServiceEvent } from './serve-options.js';

/** Options of {@link metrics}. */
export interface MetricsOptions {
  /**
   * The most disks with series of their own, from 1; default 1,000. A server chooses their names.
   * Dumps of further disks are counted as those of the disk `other`.
   */
  readonly maxDisks?: number;
}

/** Counts the events of a target. */
export interface Metrics extends Pick<Observer<ServiceEvent>, 'next'> {
  /** The counts in Prometheus' text format, version 0.0.4. */
  text(): string;
}

/**
 * Counts what a target does, for Prometheus. It takes the events of `serve`.
 *
 * Names begin with `rx_amanda_`. Times are in seconds since 1970, sizes in bytes of the dump as it
 * was sent. Throws `BAD_ARGUMENT`.
 *
 * @example
 * ```ts
 * import { listenBsdtcp, metrics, noopService, serve } from 'rx-amanda';
 * import { createServer } from 'node:http';
 *
 * const counts = metrics();
 * serve(listenBsdtcp({ port: 10080 }), { noop: noopService() }).subscribe(counts);
 *
 * createServer((_, response) => {
 *   response.setHeader('content-type', 'text/plain; version=0.0.4');
 *   response.end(counts.text());
 * }).listen(9_100, '127.0.0.1');
 * ```
 */
export function metrics(options: MetricsOptions = {}): Metrics {
  checkOptions('metrics', options, { maxDisks: 'number?' });
  const { maxDisks = 1_000 } = options;
  if (!(maxDisks >= 1))
    throw new AmandaError('BAD_ARGUMENT', `The option maxDisks of metrics must be 1 at least.`);
  return new TargetMetrics(maxDisks);
}

class TargetMetrics implements Metrics {
  readonly #maxDisks: number;
  readonly #disks = new Set<string>();
  readonly #families = new Map<string, Family>();

  constructor(maxDisks: number) {
    this.#maxDisks = maxDisks;
    for (const [name, [kind, help]] of Object.entries(families))
      this.#families.set(name, { kind, help, series: new Map() });
    this.#add('connections', {}, 0);
    this.#add('connections_total', {}, 0);
    this.#add('refused_total', {}, 0);
  }

  readonly next = (event: ServiceEvent): void => {
    if (event.kind === 'connected') {
      this.#add('connections', {}, 1);
      this.#add('connections_total', {}, 1);
    } else if (event.kind === 'disconnected') this.#add('connections', {}, -1);
    else if (event.kind === 'refused') this.#add('refused_total', {}, 1);
    else if (event.kind === 'ended') this.#ended(event);
  };

  text(): string {
    return [...this.#families]
      .map(([name, { kind, help, series }]) => {
        const lines = [...series].map(([labels, value]) => `rx_amanda_${name}${labels} ${value}\n`);
        return `# HELP rx_amanda_${name} ${help}\n# TYPE rx_amanda_${name} ${kind}\n${lines.join('')}`;
      })
      .join('');
  }

  #ended(event: Extract<ServiceEvent, { kind: 'ended' }>): void {
    const { service, outcome, disk, level, sent, seconds = 0 } = event;
    if (service === undefined) return;
    this.#add('requests_total', { service, outcome }, 1);
    this.#add('request_seconds_total', { service }, seconds);
    if (service !== 'sendbackup' || disk === undefined || level === undefined) return;
    const labels = { disk: this.#known(disk), level: String(level) };
    this.#add('dumps_total', { ...labels, outcome }, 1);
    if (outcome !== 'completed') return;
    this.#set('dump_last_success_seconds', labels, Math.floor(Date.now() / 1000));
    this.#set('dump_last_size_bytes', labels, sent);
    this.#set('dump_last_duration_seconds', labels, seconds);
  }

  #known(disk: string): string {
    if (this.#disks.size < this.#maxDisks) this.#disks.add(disk);
    return this.#disks.has(disk) ? disk : 'other';
  }

  #add(name: FamilyName, labels: Labels, value: number): void {
    const series = this.#series(name);
    const key = labelText(labels);
    series.set(key, (series.get(key) ?? 0) + value);
  }

  #set(name: FamilyName, labels: Labels, value: number): void {
    this.#series(name).set(labelText(labels), value);
  }

  #series(name: FamilyName): Map<string, number> {
    return (this.#families.get(name) as Family).series;
  }
}

type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly kind: string;
  readonly help: string;
  /** Values by their labels, as they are written. */
  readonly series: Map<string, number>;
}

const families = {
  connections: ['gauge', 'Connections that are open.'],
  connections_total: ['counter', 'Connections that were accepted.'],
  refused_total: ['counter', 'Requests that were refused.'],
  requests_total: ['counter', 'Requests that have ended.'],
  request_seconds_total: ['counter', 'Seconds that requests took.'],
  dumps_total: ['counter', 'Dumps that have ended.'],
  dump_last_success_seconds: ['gauge', 'When the last whole dump ended, in seconds since 1970.'],
  dump_last_size_bytes: ['gauge', 'Bytes that the last whole dump sent.'],
  dump_last_duration_seconds: ['gauge', 'Seconds that the last whole dump took.'],
} as const;
type FamilyName = keyof typeof families;

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}
