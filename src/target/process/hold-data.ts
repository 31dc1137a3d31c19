/** What the last line of a dump's description looks like. */
const INFO_END = 'sendbackup: info end\n';

/** A dump's messages and data, the data held back. */
export interface Held {
  readonly messages: AsyncIterable<Uint8Array>;
  readonly data: AsyncIterable<Uint8Array>;
}

/**
 * Holds back the data of a dump until its description has gone out.
 *
 *     messages  -m-E--n-|       E: has `sendbackup: info end\n` in it, or is the end
 *     data      ab-----c|
 *     out       ---(ab)-c|      not read before
 *
 * The requester takes data as begun only after it has the description.
 * Source: PROTOCOL.md, "Streams".
 */
export function holdData(
  messages: AsyncIterable<Uint8Array>,
  data: AsyncIterable<Uint8Array>,
): Held {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { messages: watch(messages, release), data: after(released, data) };
}

async function* watch(
  messages: AsyncIterable<Uint8Array>,
  release: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const watched = new InfoEnd(release);
    for await (const chunk of messages) {
      // Once this goes on, the chunk has been sent.
      yield chunk;
      watched.look(chunk);
    }
  } finally {
    release();
  }
}

/** Looks for the end of the description in messages that are cut anywhere. */
export class InfoEnd {
  readonly #found: () => void;
  #seen: string | undefined = '';

  constructor(found: () => void) {
    this.#found = found;
  }

  look(chunk: Uint8Array): void {
    if (this.#seen === undefined) return;
    this.#seen =
      this.#seen.slice(-INFO_END.length) +
      Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
    if (!this.#seen.includes(INFO_END)) return;
    this.#seen = undefined;
    this.#found();
  }
}

async function* after(
  released: Promise<void>,
  data: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  await released;
  yield* data;
}
