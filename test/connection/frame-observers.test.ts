import { config, type Observable } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FrameObservers } from '../../src/connection/frame-observers.js';
import type { FrameObserver } from '../../src/connection/connection.js';
import { release, takeSlab } from '../../src/transport/buffer-pool.js';
import { AmandaError } from '../../src/wire/errors.js';

/**
 * How an Observable has ended for a new subscriber: `open`, `complete`, or what it errored with.
 */
function endOf(observable: Observable<unknown>): unknown {
  let end: unknown = 'open';
  observable.subscribe({
    error: (error: unknown) => {
      end = error;
    },
    complete: () => {
      end = 'complete';
    },
  });
  return end;
}

describe('the observers of a connection', () => {
  it('tell late subscribers of a good end', () => {
    const observers = new FrameObservers();
    observers.over();
    expect(
      [observers.received, observers.sent, observers.incoming, observers.ended].map(endOf),
    ).toEqual(Array(4).fill('complete'));
  });

  it('tell late subscribers why the connection was lost, as those before', () => {
    for (const came of ['before', 'behind']) {
      const observers = new FrameObservers();
      const reason = new AmandaError('CONNECTION_LOST', 'gone');
      if (came === 'before')
        for (const one of [observers.received, observers.sent])
          one.subscribe({ error: () => undefined });
      observers.over(reason);
      expect(
        [observers.received, observers.sent, observers.incoming, observers.ended].map(endOf),
      ).toEqual([reason, 'complete', 'complete', reason]);
    }
  });

  it('show taps the frames from when they come', () => {
    const observers = new FrameObservers();
    const payload = Uint8Array.of(1);
    observers.frame('received', { handle: 1, payload });
    const seen: number[] = [];
    const tap = observers.received.subscribe(({ handle }) => seen.push(handle));
    observers.frame('received', { handle: 2, payload });
    observers.frame('sent', { handle: 3, payload });
    tap.unsubscribe();
    observers.frame('received', { handle: 4, payload });
    expect(seen).toEqual([2]);
  });

  it('keep the memory of what a tap gets, and of nothing else', () => {
    const observers = new FrameObservers();
    observers.observe(() => undefined);
    const [untapped, tapped] = [takeSlab(), takeSlab()];
    observers.frame('received', { handle: 1, payload: untapped });
    observers.received.subscribe();
    observers.frame('received', { handle: 1, payload: tapped });
    release(untapped);
    release(tapped);
    const buffers = [takeSlab(), takeSlab()].map(({ buffer }) => buffer);
    expect(buffers).toContain(untapped.buffer);
    expect(buffers).not.toContain(tapped.buffer);
  });

  it('show observers every frame, in both directions, until they leave', () => {
    const observers = new FrameObservers();
    const seen: string[] = [];
    const leave = ['a', 'b'].map((name) =>
      observers.observe((direction, handle, { length }) =>
        seen.push(`${name}: ${direction} ${handle}, ${length}`),
      ),
    );
    observers.frame('received', { handle: 1, payload: new Uint8Array(2) });
    observers.frame('sent', { handle: 3, payload: new Uint8Array(0) });
    expect(seen).toEqual(['a: received 1, 2', 'b: received 1, 2', 'a: sent 3, 0', 'b: sent 3, 0']);
    leave[0]?.();
    leave[0]?.();
    observers.frame('sent', { handle: 4, payload: new Uint8Array(1) });
    leave[1]?.();
    observers.frame('sent', { handle: 5, payload: new Uint8Array(1) });
    expect(seen.slice(4)).toEqual(['b: sent 4, 1']);
  });

  it('an observer that is added twice leaves twice, and one that leaves during a notification takes no other along', () => {
    const observers = new FrameObservers();
    const seen: number[] = [];
    const observer: FrameObserver = (_, handle) => seen.push(handle);
    const leave = observers.observe(observer);
    const leaves = observers.observe(() => {
      leaves();
    });
    observers.observe(observer);
    observers.frame('sent', { handle: 1, payload: new Uint8Array(1) });
    leave();
    observers.frame('sent', { handle: 2, payload: new Uint8Array(1) });
    expect(seen).toEqual([1, 1, 2]);
  });

  it('report what an observer throws as RxJS does, and the others see the frame', async () => {
    const observers = new FrameObservers();
    const reported = new Promise((resolve) => {
      config.onUnhandledError = resolve;
    });
    onTestFinished(() => {
      config.onUnhandledError = null;
    });
    const seen: number[] = [];
    const failure = new Error('an observer of no use');
    observers.observe(() => {
      throw failure;
    });
    observers.observe((_, handle) => seen.push(handle));
    observers.frame('received', { handle: 1, payload: new Uint8Array(1) });
    expect(seen).toEqual([1]);
    expect(await reported).toBe(failure);
  });
});
