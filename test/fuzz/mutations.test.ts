import { afterAll, describe, expect, test } from 'vitest';
import { AmandaError } from '../../src/wire/errors.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { decoders, type Decode } from './decoders.js';
import { kept } from './kept.js';
import { inputOf } from './mutations.js';
import { samples } from './samples.js';
import { factor, patience, seed } from './runs.js';

/**
 * Inputs for each decoder: in all some ten thousand in `npm test`, and more than 10 million in `npm
 * run fuzz`.
 */
const INPUTS = factor > 1 ? 3_600 * factor : 1_500;
/** The share of them for decoders that are whole conversations, and take as long. */
const SHARES: Readonly<Record<string, number>> = {
  'answer to noop': 40,
  'answer to selfcheck': 40,
  'answer to sendsize': 40,
  'answer to sendbackup': 40,
  capture: 2,
  'bytes beside the connection': 8,
  'a capture, drawn': 20,
  'a recording, drawn': 20,
  'steps of a recording': 20,
  'words of rx-amanda': 4,
};
/** So many for one decoder, and then for the next: a run that is ended early has tried them all. */
const BATCH = 400;
/**
 * Milliseconds that no input may take, whatever else the machine does; the longest are of 70 KB.
 */
const TOO_LONG = 1_000;
/** Bytes that a decoder may still hold after all inputs together. */
const MOST_KEPT = 8 * 1_048_576;

interface Tally {
  readonly name: string;
  readonly decode: Decode;
  inputs: number;
  refused: number;
  milliseconds: number;
  bytes: number;
  slowest: number;
}

const tallies = Object.entries(decoders).map(([name, decode]): Tally => ({
  name,
  decode,
  inputs: 0,
  refused: 0,
  milliseconds: 0,
  bytes: 0,
  slowest: 0,
}));

afterAll(() => {
  const inputs = tallies.reduce((sum, tally) => sum + tally.inputs, 0);
  const decoding = tallies.reduce((sum, tally) => sum + tally.milliseconds, 0) / 1_000;
  const lines = tallies.map(
    ({ name, inputs: count, refused, milliseconds, bytes, slowest }) =>
      `  ${name.padEnd(28)} ${count} inputs, ${Math.round((100 * refused) / count)} % refused, ${((1_000 * milliseconds) / count).toFixed(1)} µs each, ${((1e6 * milliseconds) / bytes).toFixed(1)} ns a byte, slowest ${slowest.toFixed(1)} ms`,
  );
  console.log(
    [
      `seed ${seed}: ${inputs} inputs for ${tallies.length} decoders, ${Math.round(inputs / decoding)} decoded a second`,
      ...lines,
    ].join('\n'),
  );
});

describe('mutated recordings', () => {
  test(
    'are read, or refused with an AmandaError, and leave nothing behind',
    { timeout: patience * 10 },
    () => {
      // To note where an error came from takes longer than most that is tried here.
      Error.stackTraceLimit = 0;
      let before = 0;
      for (let done = 0; done < INPUTS; done += BATCH) {
        const numbers = Array.from(
          { length: Math.min(BATCH, INPUTS - done) },
          (_, index) => (seed + done + index) | 0,
        );
        for (const tally of tallies) tryAll(tally, numbers);
        if (done === 0) before = memoryInUse();
      }
      Error.stackTraceLimit = 10;
      expect(memoryInUse() - before).toBeLessThan(MOST_KEPT);
      expect(
        tallies.every(({ inputs, refused }) => inputs >= INPUTS / 40 && refused < inputs),
      ).toBe(true);
    },
  );

  test.each(kept)('that once broke something do so no more: $name, $base64', ({ name, base64 }) => {
    expect(
      strangeErrorOf(decoders[name] ?? neverThere, new Uint8Array(Buffer.from(base64, 'base64'))),
    ).toSatisfy((error) => error === undefined || error === refusedIt);
  });
});

function tryAll(tally: Tally, numbers: readonly number[]): void {
  const { name, decode } = tally;
  for (const number of numbers.slice(0, Math.ceil(numbers.length / (SHARES[name] ?? 1)))) {
    const bytes = inputOf(number, samples[name] ?? []);
    const began = performance.now();
    const error = strangeErrorOf(decode, bytes);
    let taken = performance.now() - began;
    // A busy machine stops for a while, but not each time.
    for (let again = 0; taken > TOO_LONG && again < 3; again += 1)
      taken = Math.min(
        taken,
        timed(() => strangeErrorOf(decode, bytes)),
      );
    if (error !== undefined && error !== refusedIt)
      throw broken('throws what is no AmandaError', name, number, bytes, error);
    if (taken > TOO_LONG) throw broken(`takes ${Math.round(taken)} ms`, name, number, bytes);
    if (error === refusedIt) tally.refused += 1;
    tally.inputs += 1;
    tally.bytes += bytes.length;
    tally.milliseconds += taken;
    tally.slowest = Math.max(tally.slowest, taken);
  }
}

function timed(action: () => unknown): number {
  const began = performance.now();
  action();
  return performance.now() - began;
}

const refusedIt = Symbol('refused');

/**
 * What a decoder throws that is none of our errors; {@link refusedIt} for one of ours, undefined
 * when it throws nothing.
 */
function strangeErrorOf(decode: Decode, bytes: Uint8Array): unknown {
  try {
    decode(bytes);
    return undefined;
  } catch (error) {
    return error instanceof AmandaError ? refusedIt : error;
  }
}

/** How to see it again: the seed is the input's own number, and the bytes are for kept.ts. */
function broken(
  what: string,
  name: string,
  number: number,
  bytes: Uint8Array,
  cause?: unknown,
): Error {
  return new Error(
    `${name} ${what}. Again with FUZZ_SEED=${number}, or with ${Buffer.from(bytes).toString('base64').slice(0, 4_000)}`,
    { cause },
  );
}

function neverThere(): never {
  throw new Error('There is no decoder of this name any more.');
}
