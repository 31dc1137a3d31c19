import { PassThrough } from 'node:stream';
import { lastValueFrom, reduce } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { StreamChannel } from '../../src/transport/stream-channel.js';

const peer = { driver: 'test' };

/** A channel over two pipes: what its peer sends, and what its peer takes. */
function opened() {
  const input = new PassThrough();
  const output = new PassThrough();
  return { channel: new StreamChannel({ input, output, peer }), input, output };
}

describe('a channel over Node streams', () => {
  test('that is closed sends what was written first', async () => {
    const { channel, input, output } = opened();
    channel.bytes.subscribe();
    channel.write([new Uint8Array(1_000_000), new Uint8Array(500_000)]);
    channel.close();
    const taken = (await output.toArray()) as Uint8Array[];
    expect(taken.reduce((sum, { length }) => sum + length, 0)).toBe(1_500_000);
    input.end();
  });

  test('completes when the peer ends, after what it sent', async () => {
    const { channel, input } = opened();
    input.end('abc');
    expect(
      await lastValueFrom(channel.bytes.pipe(reduce((sum, { length }) => sum + length, 0))),
    ).toBe(3);
  });

  test('says when it is saturated and when it has drained', async () => {
    const { channel, output } = opened();
    let drained = 0;
    channel.drain.subscribe(() => (drained += 1));
    expect(channel.write([new Uint8Array(100)])).toBe(true);
    expect(channel.write([new Uint8Array(1_000_000)])).toBe(false);
    output.resume();
    await new Promise((resolve) => output.once('drain', resolve));
    expect(drained).toBe(1);
  });

  test('that is unsubscribed lets go of both streams', () => {
    const { channel, input, output } = opened();
    channel.bytes.subscribe().unsubscribe();
    expect([input.destroyed, output.destroyed]).toEqual([true, true]);
  });
});

describe('a channel that is closed', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('waits 2 s for a peer that does not close', async () => {
    const { channel, input, output } = opened();
    channel.bytes.subscribe();
    channel.close();
    output.resume();
    await new Promise((resolve) => output.once('finish', resolve));
    vi.advanceTimersByTime(1_999);
    expect(input.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(input.destroyed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('waits 30 s for a peer that takes nothing', () => {
    const { channel, output } = opened();
    channel.bytes.subscribe();
    channel.write([new Uint8Array(1_000_000)]);
    channel.close();
    vi.advanceTimersByTime(29_999);
    expect(output.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(output.destroyed).toBe(true);
  });
});
