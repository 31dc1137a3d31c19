let mark: ((memory: object) => void) | undefined;

/**
 * Has the memory of a chunk stay in this thread when its reader posts it to another: it lies beside other chunks, and a socket may still read into it.
 * `postMessage` with that memory in its transfer list copies the chunk instead (Node 20), or throws a `DataCloneError` (later).
 */
export function keepHere({ buffer }: Uint8Array): void {
  // Found when the first bytes are handed out: a program that only asks whether a host is there need not load it.
  mark ??= process.getBuiltinModule('node:worker_threads').markAsUntransferable;
  mark(buffer);
}
