import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepAlive } from '../../src/transport/keep-alive.js';

/** A socket that notes what it is told of keep-alive. */
function socket() {
  const setKeepAlive = vi.fn();
  return {
    socket: Object.assign(new EventEmitter(), { setKeepAlive }) as unknown as Socket,
    setKeepAlive,
  };
}

describe('keep-alive', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.runAllTimers();
    vi.useRealTimers();
  });

  it('is on within a second, for each connection that lasts so long', () => {
    const [first, second, third] = [socket(), socket(), socket()];
    keepAlive(first.socket);
    vi.advanceTimersByTime(600);
    keepAlive(second.socket);
    vi.advanceTimersByTime(400);
    keepAlive(third.socket);
    vi.advanceTimersByTime(1_000);
    for (const { setKeepAlive } of [first, second, third])
      expect(setKeepAlive.mock.calls).toEqual([[true]]);
  });

  it('is not asked for a connection that is over by then', () => {
    const { socket: short, setKeepAlive } = socket();
    keepAlive(short)();
    vi.advanceTimersByTime(5_000);
    expect(setKeepAlive).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
