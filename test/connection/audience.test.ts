import { config, type Observable } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Audience } from '../../src/connection/audience.js';
import type { Onlooker } from '../../src/connection/connection.js';
import { AmandaError } from '../../src/wire/errors.js';

/** How an Observable has ended for somebody who comes now: `open`, `complete`, or what it errored with. */
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

describe('an audience', () => {
  it('tells whoever comes behind a good end that it is over', () => {
    const audience = new Audience();
    audience.over();
    expect(
      [audience.received, audience.sent, audience.incoming, audience.ended].map(endOf),
    ).toEqual(Array(4).fill('complete'));
  });

  it('tells whoever comes behind a loss why, as it told those who were there', () => {
    for (const came of ['before', 'behind']) {
      const audience = new Audience();
      const reason = new AmandaError('CONNECTION_LOST', 'gone');
      if (came === 'before')
        for (const one of [audience.received, audience.sent])
          one.subscribe({ error: () => undefined });
      audience.over(reason);
      expect(
        [audience.received, audience.sent, audience.incoming, audience.ended].map(endOf),
      ).toEqual([reason, 'complete', 'complete', reason]);
    }
  });

  it('has taps see frames from when they come, and says whether any does', () => {
    const audience = new Audience();
    const payload = Uint8Array.of(1);
    expect(audience.frame('received', 1, payload)).toBe(false);
    const seen: number[] = [];
    const tap = audience.received.subscribe(({ handle }) => seen.push(handle));
    expect([audience.frame('received', 2, payload), audience.frame('sent', 3, payload)]).toEqual([
      true,
      false,
    ]);
    tap.unsubscribe();
    expect(audience.frame('received', 4, payload)).toBe(false);
    expect(seen).toEqual([2]);
  });

  it('has onlookers see every frame, either way, until they leave, and they keep none', () => {
    const audience = new Audience();
    const seen: string[] = [];
    const leave = ['a', 'b'].map((name) =>
      audience.look((direction, handle, { length }) =>
        seen.push(`${name}: ${direction} ${handle}, ${length}`),
      ),
    );
    expect([
      audience.frame('received', 1, new Uint8Array(2)),
      audience.frame('sent', 3, new Uint8Array(0)),
    ]).toEqual([false, false]);
    expect(seen).toEqual(['a: received 1, 2', 'b: received 1, 2', 'a: sent 3, 0', 'b: sent 3, 0']);
    leave[0]?.();
    leave[0]?.();
    audience.frame('sent', 4, new Uint8Array(1));
    leave[1]?.();
    audience.frame('sent', 5, new Uint8Array(1));
    expect(seen.slice(4)).toEqual(['b: sent 4, 1']);
  });

  it('has one who looks twice leave twice, and one who leaves while all are told takes nobody along', () => {
    const audience = new Audience();
    const seen: number[] = [];
    const onlooker: Onlooker = (_, handle) => seen.push(handle);
    const leave = audience.look(onlooker);
    const leaves = audience.look(() => {
      leaves();
    });
    audience.look(onlooker);
    audience.frame('sent', 1, new Uint8Array(1));
    leave();
    audience.frame('sent', 2, new Uint8Array(1));
    expect(seen).toEqual([1, 1, 2]);
  });

  it('reports what an onlooker throws as RxJS reports what a subscriber does, and the others see the frame', async () => {
    const audience = new Audience();
    const reported = new Promise((resolve) => {
      config.onUnhandledError = resolve;
    });
    onTestFinished(() => {
      config.onUnhandledError = null;
    });
    const seen: number[] = [];
    const failure = new Error('an onlooker of no use');
    audience.look(() => {
      throw failure;
    });
    audience.look((_, handle) => seen.push(handle));
    audience.frame('received', 1, new Uint8Array(1));
    expect(seen).toEqual([1]);
    expect(await reported).toBe(failure);
  });
});
