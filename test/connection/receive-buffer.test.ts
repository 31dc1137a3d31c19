import { describe, expect, it } from 'vitest';
import { CHUNK_CHARGE, ReceiveBuffer } from '../../src/connection/receive-buffer.js';
import type { Pull } from '../../src/operators/pull.js';
import { SLAB_BYTES, hold, release, takeSlab } from '../../src/transport/buffer-pool.js';

const LARGE = 32_768;

/** What a buffer's chunks cost, in total and at most. */
function budget(limit = 1_048_576) {
  const credit = {
    limit,
    held: 0,
    most: 0,
    get room() {
      return credit.limit - credit.held;
    },
    hold: (bytes: number) => {
      credit.held += bytes;
      credit.most = Math.max(credit.most, credit.held);
    },
    release: (bytes: number) => {
      credit.held -= bytes;
    },
  };
  return credit;
}

/** A buffer, what it holds, and a reader that takes one chunk at a time when told to. */
function pulled(react: (pull: Pull<Uint8Array>) => void = () => undefined, lease = false) {
  const credit = budget();
  const buffer = new ReceiveBuffer(7, credit, () => undefined);
  const pull = buffer.pull(() => {
    react(pull);
  }, lease);
  return { buffer, pull, credit };
}

/** A chunk somewhere in a slab, as a socket reads it. */
function inSlab(length: number, fill = 1): Uint8Array {
  const slab = takeSlab();
  const chunk = slab.subarray(100, 100 + length).fill(fill);
  hold(chunk);
  return chunk;
}

/** Whether the pool would hand out this memory now. */
function isFree({ buffer }: Uint8Array): boolean {
  return Array.from({ length: 12 }, takeSlab).some((slab) => slab.buffer === buffer);
}

/** Takes all that waits; the lengths. */
function takeAll(pull: Pull<Uint8Array>): number[] {
  const lengths: number[] = [];
  for (let chunk = pull.take(); chunk !== undefined; chunk = pull.take()) {
    lengths.push(chunk.length);
    pull.release(chunk);
  }
  return lengths;
}

describe('what a receive buffer holds for a reader that pulls', () => {
  it('is taken where it lies by a waiting reader, and costs the memory that it keeps alive', () => {
    const taken: Uint8Array[] = [];
    const { buffer, pull, credit } = pulled((reading) => {
      taken.push(reading.take() as Uint8Array);
    });
    const chunk = inSlab(LARGE);
    buffer.next(chunk);
    expect(taken[0]).toBe(chunk);
    expect([credit.held, buffer.held]).toEqual([
      SLAB_BYTES + CHUNK_CHARGE,
      SLAB_BYTES + CHUNK_CHARGE,
    ]);
    pull.release(chunk);
    expect([credit.held, buffer.held]).toEqual([0, 0]);
  });

  it('is copied out of its slab if the reader does not take it at once, and then costs itself', () => {
    const { buffer, pull, credit } = pulled();
    const chunk = inSlab(LARGE);
    buffer.next(chunk);
    expect(credit.held).toBe(LARGE + CHUNK_CHARGE);
    const first = pull.take() as Uint8Array;
    expect([first.length, first.buffer.byteLength]).toEqual([LARGE, LARGE]);
    expect(new Set(first)).toEqual(new Set([1]));
    pull.release(first);
    expect([credit.held, buffer.held]).toEqual([0, 0]);
    release(chunk);
    release(chunk);
    expect(isFree(chunk)).toBe(true);
  });

  it('is joined in slabs with what else waits, which cost what is set aside', () => {
    const { buffer, pull, credit } = pulled();
    for (let count = 1; count <= 11; count += 1) buffer.next(inSlab(LARGE, count));
    buffer.next(inSlab(3, 12));
    expect(credit.held).toBe(LARGE + 2 * SLAB_BYTES + 3 * CHUNK_CHARGE);
    const chunks = [pull.take(), pull.take(), pull.take()] as Uint8Array[];
    expect(chunks.map(({ length }) => length)).toEqual([LARGE, 8 * LARGE, 2 * LARGE + 3]);
    const numbers = chunks.flatMap((chunk) =>
      [...chunk].filter((byte, at) => byte !== chunk[at - 1]),
    );
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    for (const chunk of chunks) pull.release(chunk);
    expect([pull.take(), credit.held, buffer.held]).toEqual([undefined, 0, 0]);
  });

  it('is not joined when the budget has no room for a slab', () => {
    const { buffer, pull, credit } = pulled();
    credit.limit = 200_000;
    for (let count = 0; count < 4; count += 1) buffer.next(inSlab(LARGE));
    expect(credit.held).toBe(4 * (LARGE + CHUNK_CHARGE));
    expect(takeAll(pull)).toEqual([LARGE, LARGE, LARGE, LARGE]);
    expect([credit.held, buffer.held]).toEqual([0, 0]);
  });

  it('is never joined if it is a packet', () => {
    const credit = budget();
    const buffer = new ReceiveBuffer(1, credit, () => undefined, true);
    for (let count = 0; count < 4; count += 1) buffer.next(inSlab(LARGE));
    expect(takeAll(buffer.pull(() => undefined))).toEqual([LARGE, LARGE, LARGE, LARGE]);
  });

  it('is not copied a second time if it has its memory to itself', () => {
    const { buffer, pull } = pulled();
    const own = new Uint8Array(LARGE + 8).subarray(8);
    buffer.next(own);
    expect(pull.take()?.buffer).toBe(own.buffer);
  });

  it('is copied if it is small, however fast it is taken: many would keep much memory alive', () => {
    const taken: Uint8Array[] = [];
    const { buffer, credit } = pulled((reading) => {
      taken.push(reading.take() as Uint8Array);
    });
    for (let count = 0; count < 3; count += 1) buffer.next(inSlab(64));
    expect(taken.map((chunk) => chunk.buffer.byteLength)).toEqual([64, 64, 64]);
    expect(credit.most).toBe(3 * (64 + CHUNK_CHARGE));
  });

  it('is copied if the memory around it would take more than a third of the room that is left', () => {
    const taken: Uint8Array[] = [];
    const { buffer, credit } = pulled((reading) => {
      taken.push(reading.take() as Uint8Array);
    });
    credit.limit = 3 * SLAB_BYTES - 1;
    buffer.next(inSlab(LARGE));
    expect(taken.map((chunk) => chunk.buffer.byteLength)).toEqual([LARGE]);
    expect(credit.held).toBe(LARGE + CHUNK_CHARGE);
  });

  it('stays in order if more arrives while the reader takes', () => {
    const sizes: number[] = [];
    let isFirst = true;
    const { buffer, pull, credit } = pulled((reading) => {
      if (isFirst) {
        isFirst = false;
        buffer.next(inSlab(LARGE + 1));
        buffer.next(inSlab(LARGE + 2));
      }
      const chunk = reading.take();
      if (chunk === undefined) return;
      sizes.push(chunk.length);
      reading.release(chunk);
    });
    buffer.next(inSlab(LARGE));
    sizes.push(...takeAll(pull));
    expect(sizes[0]).toBe(LARGE);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(3 * LARGE + 3);
    expect([credit.held, buffer.held]).toEqual([0, 0]);
  });

  it('is dropped if the reader leaves while it is offered something', () => {
    const { buffer, credit } = pulled((reading) => {
      reading.cancel();
    });
    const chunk = inSlab(LARGE);
    buffer.next(chunk);
    expect([credit.held, buffer.held]).toEqual([0, 0]);
  });

  it('is paid back once, whatever the reader releases', () => {
    const { buffer, pull, credit } = pulled();
    buffer.next(inSlab(LARGE));
    const chunk = pull.take() as Uint8Array;
    for (let count = 0; count < 3; count += 1) pull.release(chunk);
    pull.release(new Uint8Array(9));
    expect([credit.held, buffer.held]).toEqual([0, 0]);
  });
});

describe('the memory of what a reader has taken', () => {
  it('is free again after a leasing reader has released it, and not before', () => {
    const taken: Uint8Array[] = [];
    const { buffer, pull } = pulled((reading) => {
      taken.push(reading.take() as Uint8Array);
    }, true);
    const chunk = inSlab(LARGE);
    buffer.next(chunk);
    release(chunk);
    release(chunk);
    expect(isFree(chunk)).toBe(false);
    pull.release(chunk);
    expect(isFree(chunk)).toBe(true);
  });

  it('is never free if the reader may keep it', () => {
    const { buffer, pull } = pulled((reading) => {
      const chunk = reading.take();
      if (chunk !== undefined) reading.release(chunk);
    });
    const pushed = new ReceiveBuffer(8, budget(), () => undefined);
    pushed.push({ next: () => undefined, end: () => undefined, mayKeep: true });
    for (const receiver of [buffer, pushed]) {
      const chunk = inSlab(LARGE);
      receiver.next(chunk);
      release(chunk);
      release(chunk);
      expect(isFree(chunk)).toBe(false);
    }
    pull.cancel();
  });

  it('is free at once if the reader keeps nothing', () => {
    const buffer = new ReceiveBuffer(8, budget(), () => undefined);
    buffer.push({ next: () => undefined, end: () => undefined, mayKeep: false });
    const chunk = inSlab(LARGE);
    buffer.next(chunk);
    release(chunk);
    release(chunk);
    expect(isFree(chunk)).toBe(true);
  });

  it('is left alone if the reader leaves with a chunk in its hands, and free if it has waited', () => {
    const { buffer, pull } = pulled(() => undefined, true);
    for (let count = 0; count < 20; count += 1) buffer.next(inSlab(LARGE));
    pull.take();
    const inHands = pull.take() as Uint8Array;
    expect(inHands.buffer.byteLength).toBe(SLAB_BYTES);
    pull.cancel();
    expect(isFree(inHands)).toBe(false);
  });
});
