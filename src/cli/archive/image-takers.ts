import type { Writable } from 'node:stream';
import { fileFailed } from '../terminal/file-errors.js';
import { ChildStage } from './child-stage.js';
import type { ImageTaker } from './image-pipeline.js';
import { TAR_END } from './tar-reader.js';

/** Unpacks what a {@link TarReader} passes on into a directory, by a child tar. */
export function unpackInto(directory: string): ImageTaker {
  const args = ['--numeric-owner', '--xattrs', '--xattrs-include=*', '-xpGf', '-', '-C', directory];
  const tar = new ChildStage({ program: 'tar', args, task: 'unpack the archive' });
  return {
    write: (bytes) => tar.write(bytes),
    finish: async () => {
      await tar.write(TAR_END);
      tar.end();
      await tar.ended;
    },
    abort: () => tar.kill(),
  };
}

/** Writes to a stream that stays open, such as standard output. `end` follows the last byte. */
export function writeOn(output: Writable, name: string, end: Uint8Array): ImageTaker {
  const write = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      output.write(bytes, (cause) => {
        if (cause) reject(fileFailed('write to', name, cause));
        else resolve();
      });
    });
  return {
    write,
    finish: () => (end.length === 0 ? Promise.resolve() : write(end)),
    abort: () => Promise.resolve(),
  };
}

/** Drops everything. */
export const nowhere: ImageTaker = {
  write: () => Promise.resolve(),
  finish: () => Promise.resolve(),
  abort: () => Promise.resolve(),
};
