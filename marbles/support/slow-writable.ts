import { Writable } from 'node:stream';
import { timer } from 'rxjs';
import { AmandaError } from '../../src/wire/errors.js';

/**
 * A Writable that takes three milliseconds for each chunk, and breaks at a chunk `x`.
 *
 * Node emits the end of a Writable in real time; this one emits it at once, for virtual time.
 */
export class SlowWritable extends Writable {
  override _write(chunk: Uint8Array, _: BufferEncoding, done: (error?: Error) => void): void {
    timer(3).subscribe(() => {
      if (chunk[0] === 0x78) this.emit('error', new AmandaError('FILE_FAILED', 'the disk is full'));
      else done();
    });
  }

  override end(...args: readonly unknown[]): this {
    const done = args.at(-1);
    if (typeof done === 'function') (done as () => void)();
    return this;
  }
}
