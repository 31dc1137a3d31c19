/** What a line of tar's standard error says. */
export interface TarMessage {
  /** How it goes out: `|` for what is usual, `?` for what somebody should look at. */
  readonly mark: '|' | '?';
  /** The bytes that were written, when it says so. */
  readonly bytes?: number;
}

const usual = [/^Elapsed time:/, /^Throughput/, /: socket ignored$/];

/** Judges a line of tar's standard error as Amanda's sendbackup does for GNUTAR. */
export function tarMessage(line: string): TarMessage {
  const total = /^ *Total bytes written: (\d+)/.exec(line)?.[1];
  if (total !== undefined) return { mark: '|', bytes: Number(total) };
  return { mark: usual.some((pattern) => pattern.test(line)) ? '|' : '?' };
}
