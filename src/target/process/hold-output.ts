import type { Pull, Pullable, PullEnd } from '../../operators/pull.js';
import { InfoEnd } from './hold-data.js';

/** What a service writes as messages and as data of a dump, the data held back. */
export interface HeldOutput {
  readonly messages: Pullable<Uint8Array>;
  readonly data: Pullable<Uint8Array>;
}

/** Does what {@link holdData} does, chunk by chunk and without a promise for each. */
export function holdOutput(messages: Pullable<Uint8Array>, data: Pullable<Uint8Array>): HeldOutput {
  const gate = new Gate();
  return {
    messages: { pull: (wake, lease) => watch(messages.pull(wake, lease), gate) },
    data: { pull: (wake, lease) => behind(gate, data, wake, lease) },
  };
}

/** Opens once. */
class Gate {
  #isOpen = false;
  #waiting: (() => void) | undefined;

  open(): void {
    this.#isOpen = true;
    this.#waiting?.();
    this.#waiting = undefined;
  }

  /** Calls `start` now or when the gate opens. */
  whenOpen(start: () => void): void {
    if (this.#isOpen) start();
    else this.#waiting = start;
  }
}

function watch(pull: Pull<Uint8Array>, gate: Gate): Pull<Uint8Array> {
  const watched = new InfoEnd(() => {
    gate.open();
  });
  const noteEnd = (): PullEnd | undefined => {
    if (pull.end !== undefined) gate.open();
    return pull.end;
  };
  return {
    ...pull,
    get end() {
      return noteEnd();
    },
    /** Here the chunk has been sent. */
    release: (chunk) => {
      watched.look(chunk);
      pull.release(chunk);
    },
    cancel: () => {
      pull.cancel();
      gate.open();
    },
  };
}

function behind(
  gate: Gate,
  data: Pullable<Uint8Array>,
  wake: () => void,
  lease: boolean | undefined,
): Pull<Uint8Array> {
  let pull: Pull<Uint8Array> | undefined;
  let isCancelled = false;
  gate.whenOpen(() => {
    if (isCancelled) return;
    pull = data.pull(wake, lease);
    wake();
  });
  return {
    get end() {
      return pull?.end;
    },
    take: () => pull?.take(),
    release: (chunk) => {
      pull?.release(chunk);
    },
    cancel: () => {
      isCancelled = true;
      if (pull === undefined) data.pull(() => undefined).cancel();
      else pull.cancel();
    },
  };
}
