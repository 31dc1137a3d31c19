import { createCipheriv } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILES_A_FOLDER = 50;
const BLOCK = Buffer.alloc(1_048_576);

/**
 * Adds megabytes of files to a folder, with the same names and random bytes each time. One file is
 * larger than any buffer on the way.
 */
export function growTree(directory: string, megabytes: number): void {
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, 3), Buffer.alloc(16, 5));
  const random = (bytes: number): Buffer => cipher.update(BLOCK.subarray(0, bytes));
  const large = Math.floor(megabytes / 4);
  writeFileSync(
    join(directory, 'large.bin'),
    Buffer.concat(Array.from({ length: large }, () => random(BLOCK.length))),
  );
  for (let file = 0; file < megabytes - large; file += 1) {
    const folder = join(directory, `folder ${Math.floor(file / FILES_A_FOLDER)}`);
    mkdirSync(folder, { recursive: true });
    // Sizes on both sides of tar's blocks.
    writeFileSync(join(folder, `file-${file}`), random(BLOCK.length - (file % 1025)));
  }
}
