import { EventEmitter } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { reap } from '../../src/target/process/child-process.js';

/** A process that only notes what it is sent. */
class Fake extends EventEmitter {
  readonly pid = 4711;
  exitCode: number | null = null;
  readonly signalCode = null;
  readonly sent: string[] = [];

  kill(signal: string): boolean {
    this.sent.push(signal);
    return true;
  }

  exit(): void {
    this.exitCode = 0;
    this.emit('exit', 0, null);
  }

  get child(): ChildProcess {
    return this as unknown as ChildProcess;
  }
}

describe('reap', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('leaves a process alone for 3 s, then sends SIGTERM, and 2 s later SIGKILL', () => {
    const fake = new Fake();
    reap(fake.child);
    vi.advanceTimersByTime(2_999);
    expect(fake.sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fake.sent).toEqual(['SIGTERM']);
    vi.advanceTimersByTime(1_999);
    expect(fake.sent).toEqual(['SIGTERM']);
    vi.advanceTimersByTime(1);
    expect(fake.sent).toEqual(['SIGTERM', 'SIGKILL']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['before SIGTERM', 1_000, []],
    ['after SIGTERM', 4_000, ['SIGTERM']],
  ])('stops when the process ends %s', (_, after, sent) => {
    const fake = new Fake();
    reap(fake.child);
    vi.advanceTimersByTime(after);
    fake.exit();
    vi.advanceTimersByTime(60_000);
    expect(fake.sent).toEqual(sent);
    expect([vi.getTimerCount(), fake.listenerCount('exit')]).toEqual([0, 0]);
  });

  it('does nothing to a process that has ended, or never began', () => {
    const fake = new Fake();
    fake.exit();
    reap(fake.child);
    reap({ exitCode: null, signalCode: null } as unknown as ChildProcess);
    vi.advanceTimersByTime(60_000);
    expect(fake.sent).toEqual([]);
  });

  it.each([
    ['before SIGTERM', 1_000, ['SIGKILL']],
    ['after SIGTERM', 4_000, ['SIGTERM', 'SIGKILL']],
  ])('sends SIGKILL at once when hurried %s', (_, after, sent) => {
    const fake = new Fake();
    const killNow = new Subject<unknown>();
    reap(fake.child, { killNow });
    vi.advanceTimersByTime(after);
    killNow.next('now');
    expect(fake.sent).toEqual(sent);
    expect(vi.getTimerCount()).toBe(0);
    expect([killNow.observed, fake.listenerCount('exit')]).toEqual([false, 0]);
  });

  it('takes other patience', () => {
    const fake = new Fake();
    reap(fake.child, { beforeTerm: 0, beforeKill: 50 });
    vi.advanceTimersByTime(0);
    expect(fake.sent).toEqual(['SIGTERM']);
    vi.advanceTimersByTime(50);
    expect(fake.sent).toEqual(['SIGTERM', 'SIGKILL']);
  });
});
