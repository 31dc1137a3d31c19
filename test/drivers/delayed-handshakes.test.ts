import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { admissionLimits } from '../../src/drivers/admission-limits.js';
import { DelayedHandshakes } from '../../src/drivers/ssl/delayed-handshakes.js';
import type { AmandaError } from '../../src/wire/errors.js';

const { freeRefusals, delayedHandshakes, maxDelay } = admissionLimits;
const stranger = '10.0.0.1';

let handshakes: DelayedHandshakes;
beforeEach(() => {
  vi.useFakeTimers();
  handshakes = new DelayedHandshakes();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Asks for so many handshakes, and counts what becomes of them. */
function ask(address: string, times: number) {
  const outcome = { begun: 0, codes: new Set<unknown>(), refused: 0 };
  const all = Array.from({ length: times }, () =>
    handshakes.turn(address).subscribe({
      next: () => (outcome.begun += 1),
      error: (error: unknown) => {
        outcome.refused += 1;
        outcome.codes.add((error as AmandaError).code);
      },
    }),
  );
  return { outcome, leave: () => all.forEach((one) => one.unsubscribe()) };
}

function failOften(times: number): void {
  for (let count = 0; count < times; count += 1) handshakes.failed(stranger);
}

test('handshakes begin at once until too many of their network have failed', () => {
  expect(ask(stranger, 1_000).outcome.begun).toBe(1_000);
  failOften(freeRefusals);
  expect(ask(stranger, 1_000).outcome.begun).toBe(1_000);
});

test('then so many wait at most, each half a second at most, and other networks do not', () => {
  failOften(1_000);
  const { outcome } = ask(stranger, 1_000);
  expect(outcome).toEqual({
    begun: 0,
    refused: 1_000 - delayedHandshakes,
    codes: new Set(['TOO_MANY_CONNECTIONS']),
  });
  expect(ask('10.0.0.2', 1_000).outcome.begun).toBe(1_000);
  vi.advanceTimersByTime(maxDelay);
  expect(outcome.begun).toBe(delayedHandshakes);
});

test('one that leaves makes room', () => {
  failOften(1_000);
  ask(stranger, delayedHandshakes).leave();
  expect(ask(stranger, delayedHandshakes).outcome.refused).toBe(0);
  expect(vi.getTimerCount()).toBe(delayedHandshakes);
});
