import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import { catchError, lastValueFrom, of } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { allowed } from '../../src/access/verdict.js';
import { memory } from '../../src/drivers/memory.js';
import { connect } from '../../src/initiator/connect.js';
import { dump } from '../../src/initiator/dump.js';
import { receiveDump } from '../../src/initiator/receive-dump.js';
import { channelNames } from '../../src/target/channels.js';
import { metrics } from '../../src/target/metrics.js';
import { serve, type ServiceEvent } from '../../src/target/serve.js';
import { backupServices } from '../../src/target/services/backup-services.js';
import { tarArchive } from '../../src/target/services/tar-archive.js';

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly metrics: readonly {
    readonly value: string;
    readonly labels?: Readonly<Record<string, string>>;
  }[];
}
/** It has no types of its own. */
const parse = createRequire(import.meta.url)('parse-prometheus-text-format') as (
  text: string,
) => readonly Family[];

/** Dumps disks of a target one after the other; the events have gone to `take`. */
async function dumped(take: (event: ServiceEvent) => void, ...disks: readonly string[]) {
  const { driver, listener } = memory();
  const services = backupServices(({ disk }) =>
    disk === 'none'
      ? undefined
      : { estimate: () => 1, dump: () => tarArchive({ files: [{ name: 'a', content: disk }] }) },
  );
  const serving = serve(listener, services, { authorize: () => allowed }).subscribe(take);
  for (const disk of disks)
    await lastValueFrom(
      connect(driver).pipe(
        dump({ dle: { program: 'GNUTAR', disk } }),
        receiveDump(() => ({ data: () => [] })),
        catchError((error: unknown) => of(error)),
      ),
    );
  return serving;
}

const odd = 'a "b"\\c\nd';

describe('metrics', () => {
  it('count connections, requests and dumps as an independent parser reads them', async () => {
    const counts = metrics();
    await dumped(counts.next, 'shop', 'shop', odd, 'none');
    await vi.waitFor(() => {
      expect(counts.text()).toContain('\nrx_amanda_connections 0\n');
    });
    const families = new Map(parse(counts.text()).map((family) => [family.name, family]));
    const valuesOf = (name: string) =>
      (families.get(`rx_amanda_${name}`)?.metrics ?? []).map(({ labels, value }) => [
        labels,
        value,
      ]);
    expect(valuesOf('connections_total')).toEqual([[undefined, '4']]);
    expect(valuesOf('requests_total')).toEqual([
      [{ service: 'noop', outcome: 'completed' }, '4'],
      [{ service: 'sendbackup', outcome: 'completed' }, '3'],
      [{ service: 'sendbackup', outcome: 'failed' }, '1'],
    ]);
    expect(valuesOf('dumps_total')).toEqual([
      [{ disk: 'shop', level: '0', outcome: 'completed' }, '2'],
      [{ disk: odd, level: '0', outcome: 'completed' }, '1'],
      [{ disk: 'none', level: '0', outcome: 'failed' }, '1'],
    ]);
    const [size] = valuesOf('dump_last_size_bytes');
    expect(size?.[0]).toEqual({ disk: 'shop', level: '0' });
    expect(Number(size?.[1])).toBeGreaterThan(2_048);
    const [last] = valuesOf('dump_last_success_seconds');
    expect(Math.abs(Number(last?.[1]) - Date.now() / 1000)).toBeLessThan(60);
    expect(
      [...families.values()].every(({ help, type }) => help !== '' && type !== 'UNTYPED'),
    ).toBe(true);
  });

  it('have no more disks than they may', () => {
    const counts = metrics({ maxDisks: 2 });
    const peer = { side: 'initiator', host: 'server' } as never;
    for (let disk = 0; disk < 50; disk += 1)
      counts.next({
        kind: 'ended',
        peer,
        handle: 1,
        outcome: 'completed',
        service: 'sendbackup',
        disk: `disk${disk}`,
        level: 0,
        seconds: 1,
        sent: 10,
        received: 0,
      });
    const [family] = parse(counts.text()).filter(({ name }) => name === 'rx_amanda_dumps_total');
    expect(family?.metrics.map(({ labels, value }) => [labels?.['disk'], value])).toEqual([
      ['disk0', '1'],
      ['disk1', '1'],
      ['other', '48'],
    ]);
  });

  it.each([0, -1, Number.NaN])('want at least one disk, not %s', (maxDisks) => {
    expect(() => metrics({ maxDisks })).toThrow('maxDisks');
  });
});

it('the channels have the events of connections, requests and dumps', async () => {
  const seen: Record<string, string[]> = {};
  for (const [name, channel] of Object.entries(channelNames)) {
    const take = (message: unknown): void => {
      (seen[name] ??= []).push((message as ServiceEvent).kind);
    };
    subscribe(channel, take);
    onTestFinished(() => void unsubscribe(channel, take));
  }
  const serving = await dumped(() => undefined, 'shop');
  await vi.waitFor(() => expect(seen['connection']).toEqual(['connected', 'disconnected']));
  expect(seen['request']?.slice(-3)).toEqual(['admitted', 'replied', 'ended']);
  expect(seen['dump']).toEqual(['ended']);
  serving.unsubscribe();
});
