import { describe, expect, it } from 'vitest';
import { CHUNK_CHARGE, Inbox } from '../../src/connection/inbox.js';
import { WaitingChunks } from '../../src/connection/waiting-chunks.js';
import type { Pull } from '../../src/operators/pull.js';

const LARGE = 32_768;
const MEMORY = 262_144;

/** An inbox that notes what it holds, and its reader, who takes one chunk at a time when told to. */
function inbox(react: (pull: Pull<Uint8Array>) => void = () => undefined) {
  const credit = { held: 0, most: 0, limit: 1_048_576 };
  const waiters: (() => void)[] = [];
  const box = new Inbox(
    7,
    {
      get room() {
        return credit.limit - credit.held;
      },
      hold: (bytes) => {
        credit.held += bytes;
        credit.most = Math.max(credit.most, credit.held);
      },
      release: (bytes) => {
        credit.held -= bytes;
      },
      whenDelivered: (tell) => {
        waiters.push(tell);
      },
    },
    () => undefined,
  );
  /** All that was read at once has been delivered. */
  const allIsDelivered = (): void => {
    for (const tell of waiters.splice(0)) tell();
  };
  const pull = box.pull(() => {
    react(pull);
  });
  return { box, pull, credit, allIsDelivered };
}

/** So many bytes somewhere in a large piece of memory. */
function view(length: number): Uint8Array {
  return new Uint8Array(MEMORY).fill(1).subarray(100, 100 + length);
}

describe('what an inbox holds for a reader who pulls', () => {
  it('is taken where it lies by one who waits, and costs the memory that it keeps alive until it is released', () => {
    const taken: Uint8Array[] = [];
    const { box, pull, credit } = inbox((reading) => {
      taken.push(reading.take() as Uint8Array);
    });
    const chunk = view(LARGE);
    box.deliver(chunk);
    expect(taken[0]).toBe(chunk);
    expect([credit.held, box.held]).toEqual([MEMORY + CHUNK_CHARGE, MEMORY + CHUNK_CHARGE]);
    pull.release(chunk);
    expect([credit.held, box.held]).toEqual([0, 0]);
  });

  it('is copied out of the memory around it when the reader does not take it at once, and costs itself', () => {
    const { box, pull, credit } = inbox();
    box.deliver(view(LARGE));
    expect(credit.held).toBe(LARGE + CHUNK_CHARGE);
    const first = pull.take() as Uint8Array;
    expect([first.length, first.buffer.byteLength]).toEqual([LARGE, LARGE]);
    expect(first.every((byte) => byte === 1)).toBe(true);
    pull.release(first);
    expect([credit.held, box.held]).toEqual([0, 0]);
  });

  it('is one chunk with what else waits, which costs the memory that is set aside for it', () => {
    const { box, pull, credit } = inbox();
    for (let count = 1; count <= 11; count += 1) box.deliver(view(LARGE).fill(count));
    box.deliver(view(3).fill(12));
    expect(credit.held).toBe(LARGE + 2 * MEMORY + 3 * CHUNK_CHARGE);
    const chunks = [pull.take(), pull.take(), pull.take()] as Uint8Array[];
    expect(chunks.map(({ length }) => length)).toEqual([LARGE, 8 * LARGE, 2 * LARGE + 3]);
    const numbers = chunks.flatMap((chunk) =>
      [...chunk].filter((byte, at) => byte !== chunk[at - 1]),
    );
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    for (const chunk of chunks) pull.release(chunk);
    expect([pull.take(), credit.held, box.held]).toEqual([undefined, 0, 0]);
  });

  it('is never more than may be held when it waits together: what is over that waits alone, and says so', () => {
    const { box, pull, credit } = inbox();
    credit.limit = 200_000;
    for (let count = 0; count < 6; count += 1) box.deliver(view(LARGE));
    expect(credit.held).toBe(credit.limit);
    box.deliver(view(LARGE));
    expect(credit.held).toBe(credit.limit + LARGE + CHUNK_CHARGE);
    const sizes: number[] = [];
    for (let chunk = pull.take(); chunk !== undefined; chunk = pull.take()) {
      sizes.push(chunk.length);
      pull.release(chunk);
    }
    expect(sizes).toEqual([LARGE, 5 * LARGE, LARGE]);
    expect([credit.held, box.held]).toEqual([0, 0]);
  });

  it('is told to a reader who takes time for each only when all that came with it is there', () => {
    const sizes: number[] = [];
    const working: Uint8Array[] = [];
    const { box, pull, allIsDelivered } = inbox((reading) => {
      const chunk = working.length > 0 ? undefined : reading.take();
      if (chunk === undefined) return;
      sizes.push(chunk.length);
      working.push(chunk);
    });
    const workIsDone = (): void => {
      for (const chunk of working.splice(0)) pull.release(chunk);
    };
    for (let count = 0; count < 3; count += 1) box.deliver(view(LARGE));
    allIsDelivered();
    workIsDone();
    pull.release(pull.take() as Uint8Array);
    for (let count = 0; count < 4; count += 1) box.deliver(view(LARGE));
    expect(sizes).toEqual([LARGE]);
    allIsDelivered();
    expect(sizes).toEqual([LARGE, 4 * LARGE]);
    workIsDone();
    expect(box.held).toBe(0);
  });

  it('is copied when it is small, however fast it is taken: many would keep much memory alive', () => {
    const taken: Uint8Array[] = [];
    const { box, credit } = inbox((reading) => {
      taken.push(reading.take() as Uint8Array);
    });
    for (let count = 0; count < 3; count += 1) box.deliver(view(64));
    expect(taken.map(({ buffer }) => buffer.byteLength)).toEqual([64, 64, 64]);
    expect(credit.most).toBe(3 * (64 + CHUNK_CHARGE));
  });

  it('is copied when the memory around it would take more than a third of the room that is left', () => {
    const taken: Uint8Array[] = [];
    const { box, credit } = inbox((reading) => {
      taken.push(reading.take() as Uint8Array);
    });
    credit.limit = 3 * MEMORY;
    box.deliver(view(LARGE));
    expect(taken.map(({ buffer }) => buffer.byteLength)).toEqual([LARGE]);
    expect(credit.held).toBe(LARGE + CHUNK_CHARGE);
  });

  it('stays in order when the reader is sent more while it takes', () => {
    const sizes: number[] = [];
    let isFirst = true;
    const { box, pull, credit } = inbox((reading) => {
      if (isFirst) {
        isFirst = false;
        box.deliver(view(LARGE + 1));
        box.deliver(view(LARGE + 2));
      }
      const chunk = reading.take();
      if (chunk === undefined) return;
      sizes.push(chunk.length);
      reading.release(chunk);
    });
    box.deliver(view(LARGE));
    for (let chunk = pull.take(); chunk !== undefined; chunk = pull.take()) {
      sizes.push(chunk.length);
      pull.release(chunk);
    }
    expect(sizes).toEqual([LARGE, 2 * LARGE + 3]);
    expect([credit.held, box.held]).toEqual([0, 0]);
  });

  it('is dropped when the reader leaves while it is offered something', () => {
    const { box, credit } = inbox((reading) => {
      reading.cancel();
    });
    box.deliver(view(LARGE));
    expect([credit.held, box.held]).toEqual([0, 0]);
  });
});

describe('memory in which chunks wait together', () => {
  /** What 20 waiting chunks come in, and what another 20 do behind `between`. */
  function twice(
    lend: boolean,
    between: (pull: Pull<Uint8Array>, chunks: readonly Uint8Array[]) => void,
  ): { first: ArrayBufferLike[]; second: ArrayBufferLike[] } {
    const box = new Inbox(
      7,
      { room: 8 * MEMORY, hold: () => undefined, release: () => undefined },
      () => undefined,
    );
    const pull = box.pull(() => undefined, lend);
    const chunks = (): Uint8Array[] => {
      for (let count = 0; count < 20; count += 1) box.deliver(view(LARGE));
      const taken: Uint8Array[] = [];
      for (let chunk = pull.take(); chunk !== undefined; chunk = pull.take()) taken.push(chunk);
      return taken.filter(({ buffer }) => buffer.byteLength === MEMORY);
    };
    const first = chunks();
    between(pull, first);
    return {
      first: first.map(({ buffer }) => buffer),
      second: chunks().map(({ buffer }) => buffer),
    };
  }

  it('is filled again when its reader has given it back', () => {
    const { first, second } = twice(true, (pull, chunks) => {
      for (const chunk of chunks) pull.reuse?.(chunk);
    });
    expect(second.filter((memory) => first.includes(memory))).toHaveLength(2);
  });

  it('is new where it has not, or may not', () => {
    const kept = twice(true, () => undefined);
    expect(kept.second.filter((memory) => kept.first.includes(memory))).toHaveLength(0);
    const unlent = twice(false, (pull) => {
      expect('reuse' in pull).toBe(false);
    });
    expect(unlent.second.filter((memory) => unlent.first.includes(memory))).toHaveLength(0);
  });

  it('is filled again once for each time that it was given back', () => {
    const again = twice(true, (pull, [chunk]) => {
      for (let count = 0; count < 3; count += 1) pull.reuse?.(chunk as Uint8Array);
    });
    expect(again.second.filter((memory) => again.first.includes(memory))).toHaveLength(1);
  });

  it('is not filled again when it is empty since somebody has transferred it', () => {
    // As Node 22 lets readers do, with ArrayBuffer's own transfer().
    const waiting = new WaitingChunks();
    waiting.lend();
    waiting.begin(MEMORY, new Uint8Array([1]));
    const first = waiting.shift() ?? expect.unreachable();
    structuredClone(first.buffer, { transfer: [first.buffer as ArrayBuffer] });
    expect(waiting.reuse(first)).toBe(true);
    waiting.begin(MEMORY, new Uint8Array([2]));
    expect(waiting.shift()).toEqual(new Uint8Array([2]));
    waiting.begin(0, new Uint8Array());
    expect(waiting.shift()?.buffer).not.toBe(first.buffer);
  });
});
