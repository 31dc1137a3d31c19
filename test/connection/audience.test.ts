import { describe, expect, it } from 'vitest';
import type { Observable } from 'rxjs';
import { Audience } from '../../src/connection/audience.js';
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
    expect([audience.received, audience.sent, audience.incoming, audience.ended].map(endOf)).toEqual(Array(4).fill('complete'));
  });

  it('tells whoever comes behind a loss why, as it told those who were there', () => {
    for (const came of ['before', 'behind']) {
      const audience = new Audience();
      const reason = new AmandaError('CONNECTION_LOST', 'gone');
      if (came === 'before') for (const one of [audience.received, audience.sent]) one.subscribe({ error: () => undefined });
      audience.over(reason);
      expect([audience.received, audience.sent, audience.incoming, audience.ended].map(endOf)).toEqual([reason, 'complete', 'complete', reason]);
    }
  });

  it('has taps see frames from when they come, and says whether any does', () => {
    const audience = new Audience();
    const payload = Uint8Array.of(1);
    expect(audience.frame('received', 1, payload)).toBe(false);
    const seen: number[] = [];
    const tap = audience.received.subscribe(({ handle }) => seen.push(handle));
    expect([audience.frame('received', 2, payload), audience.frame('sent', 3, payload)]).toEqual([true, false]);
    tap.unsubscribe();
    expect(audience.frame('received', 4, payload)).toBe(false);
    expect(seen).toEqual([2]);
  });
});
