import type { Role } from '../wire/role.js';
import { FIRST_STREAM_HANDLE, isProtocolHandle } from '../wire/frame-header.js';
import { tooManyHandles } from './connection-errors.js';

/** Closes that are remembered for streams that are opened late. */
const REMEMBERED_CLOSES = 64;

/** Which handles of a connection are in use, and what each carries. */
export class Handles<S> {
  readonly role: Role;
  readonly #most: number;
  readonly #open = new Map<number, S>();
  #closedUnasked: Set<number> | undefined;
  #nextProtocol = 1;
  #nextStream = FIRST_STREAM_HANDLE;

  constructor(role: Role, most: number) {
    this.role = role;
    this.#most = most;
  }

  /** What an open handle carries. */
  get(handle: number): S | undefined {
    return this.#open.get(handle);
  }

  /** Opens a handle. Errors with `TOO_MANY_HANDLES` at the limit. */
  open(handle: number, stream: S): S {
    this.requireRoom(1, handle);
    this.#open.set(handle, stream);
    return stream;
  }

  forget(handle: number): void {
    this.#open.delete(handle);
  }

  all(): Iterable<S> {
    return this.#open.values();
  }

  clear(): void {
    this.#open.clear();
  }

  /** Whether a handle was a protocol handle of this initiator: frames for it are ignored. */
  isRetired(handle: number): boolean {
    return this.role === 'initiator' && handle > 0 && handle < this.#nextProtocol;
  }

  /** Notes the close of a handle that is not open yet. The last 64 are remembered. */
  noteClose(handle: number): void {
    const closed = (this.#closedUnasked ??= new Set());
    closed.add(handle);
    const [oldest] = closed;
    if (closed.size > REMEMBERED_CLOSES && oldest !== undefined) closed.delete(oldest);
  }

  /** Whether a handle was closed before it was opened; true once. */
  wasClosed(handle: number): boolean {
    return this.#closedUnasked?.delete(handle) === true;
  }

  nextProtocolHandle(): number {
    return this.#nextProtocol++;
  }

  /** Errors with `TOO_MANY_HANDLES` when so many cannot be opened. */
  requireRoom(count: number, handle?: number): void {
    const { size } = this.#open;
    if (size + count > this.#most) throw tooManyHandles(size, this.#most, handle);
  }

  nextStreamHandle(): number {
    while (this.#open.has(this.#nextStream) || isProtocolHandle(this.#nextStream)) {
      this.#nextStream = isProtocolHandle(this.#nextStream)
        ? FIRST_STREAM_HANDLE
        : this.#nextStream - 1;
    }
    return this.#nextStream--;
  }
}
