import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rawEvents } from '../../src/capture/raw-files.js';
import { cutAt, cuts, damaged, hostileBytes } from './bytes.js';
import { patience, runs } from './runs.js';

const sides = ['initiator', 'target'] as const;

async function* inPieces(bytes: Uint8Array, places: readonly number[]): AsyncGenerator<Uint8Array> {
  yield* await Promise.resolve(cutAt(bytes, places));
}

test(
  'two raw files of any bytes, cut anywhere, are told whole, each in its order, and come to their end',
  { timeout: patience },
  async () => {
    const bytes = fc.oneof(hostileBytes(), damaged());
    let inputs = 0;
    await fc.assert(
      fc.asyncProperty(bytes, bytes, cuts(), async (initiator, target, places) => {
        inputs += 1;
        const files = { initiator: inPieces(initiator, places), target: inPieces(target, places) };
        const told = { initiator: [] as Uint8Array[], target: [] as Uint8Array[] };
        const ended: string[] = [];
        let last = '';
        for await (const event of rawEvents(files, { initiator: 'a.c2s', target: 'a.s2c' })) {
          if (event.kind === 'bytes') told[event.sender].push(event.bytes);
          if (event.kind === 'ended') ended.push(event.sender);
          last = event.kind;
        }
        for (const side of sides)
          expect(Buffer.concat(told[side]).equals(side === 'initiator' ? initiator : target)).toBe(
            true,
          );
        expect([ended.sort(), last]).toEqual([sides, 'closed']);
      }),
      runs(1_000),
    );
    console.log(`${inputs} pairs of raw files`);
  },
);
