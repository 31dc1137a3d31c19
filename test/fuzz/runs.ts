import type { Parameters } from 'fast-check';

/** How many times as many inputs as in `npm test` there are: `FUZZ_RUNS`, a whole number from 1. */
export const factor = Math.max(1, Math.floor(Number(process.env['FUZZ_RUNS'] ?? 1)) || 1);

/** Kept, so that every run of the same length tries the same inputs; `FUZZ_SEED` tries others. */
export const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_124) | 0;

/** How a property is run that takes `usual` inputs in `npm test`. */
export function runs(usual: number): Parameters<unknown> {
  return { seed, numRuns: usual * factor };
}

/** Milliseconds for a test of many inputs. */
export const patience = 60_000 * factor;
