/** How a {@link Pull} ended; without an error it is complete. */
export interface PullEnd {
  readonly error?: unknown;
}

/**
 * The reading end of something that keeps unread chunks. The reader takes chunks one at a time, and
 * each counts against the budget until it is released.
 */
export interface Pull<T> {
  /** Set once everything has been taken and nothing more will come. */
  readonly end: PullEnd | undefined;
  /** The next chunk; undefined when there is none at present. */
  take(): T | undefined;
  /** Gives back the credit of a chunk that was taken, and with a lease its memory as well. */
  release(chunk: T): void;
  /** Ends the reading: what is kept is dropped, all credit is given back. */
  cancel(): void;
}

/** Something that can be read by one {@link Pull}. */
export interface Pullable<T> {
  /**
   * Starts reading. `wake` is called when there may be something to take, or an end to see. With
   * `lease` the memory of a chunk may be written to again after its release.
   *
   * Errors with `ALREADY_READ` when there is a reader already.
   */
  pull(wake: () => void, lease?: boolean): Pull<T>;
}

/** Whether a source can be pulled, and so be read at the pace of its reader. */
export function isPullable<T>(source: object): source is Pullable<T> {
  return 'pull' in source && typeof source.pull === 'function';
}
