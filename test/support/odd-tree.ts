import { createCipheriv, createHash } from 'node:crypto';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';

/** A ~1 MB file that no compression and no guess gets right. */
const RANDOM_BYTES = 1_048_576 + 17;

/**
 * Makes a tree of names and files that programs get wrong. Names have blanks, UTF-8, invalid UTF-8,
 * a newline, a backslash, quotes and a leading dash. There are an empty file and folder, links of
 * both kinds, a deep path, a large file.
 */
export function oddTree(directory: string): void {
  const at = pathIn(directory);
  mkdirSync(directory, { recursive: true });
  writeFileSync(at('plain.txt'), 'hello amanda\n');
  writeFileSync(at('-leading-dash'), '-x\n');
  writeFileSync(at('empty file'), '');
  writeFileSync(at('line\nbreak'), 'a name of two lines\n');
  writeFileSync(at('back\\slash'), '\\\n');
  writeFileSync(at(`quotes "double" 'single'`), '"\n');
  writeFileSync(at('tab\tand \x7f'), 'control characters\n');
  writeFileSync(at(Buffer.from([0x6c, 0xe9, 0x67, 0x61, 0x6c])), 'a name in Latin-1\n');
  writeFileSync(at('random.bin'), randomBytes(RANDOM_BYTES), { mode: 0o640 });
  mkdirSync(at('empty folder'));
  mkdirSync(at('  blanks  '));
  writeFileSync(at('  blanks  / x '), 'x');
  mkdirSync(at('grün 日本 🎈'));
  writeFileSync(at('grün 日本 🎈/naïve.txt'), 'ü\n');
  linkSync(at('plain.txt'), at('grün 日本 🎈/hard link'));
  symlinkSync('plain.txt', at('symlink'));
  symlinkSync('nowhere/at all', at('dangling symlink'));
  const deep = Array.from({ length: 30 }, (_, depth) => `level ${depth}`).join('/');
  mkdirSync(at(deep), { recursive: true });
  writeFileSync(at(`${deep}/bottom`), 'deep\n', { mode: 0o600 });
}

/**
 * The SHA-256 of what a tree is: names, kinds, permissions, contents, targets of links. Equal
 * digests mean an equal tree.
 */
export function treeDigest(directory: string): string {
  return createHash('sha256').update(treeLines(directory).join('\n')).digest('hex');
}

/**
 * What {@link treeDigest} is taken of: a line for every entry, in the order of the bytes of the
 * names.
 */
export function treeLines(directory: string): readonly string[] {
  const seen = new Map<number, string>();
  const lines: string[] = [];
  const visit = (path: Buffer, shown: string): void => {
    const { mode, ino, nlink } = lstatSync(path);
    const kind = mode & 0o170000;
    const permissions = (mode & 0o7777).toString(8);
    if (kind === 0o040000) {
      lines.push(`folder ${permissions} ${shown}/`);
      const names = readdirSync(path, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b));
      for (const name of names)
        visit(Buffer.concat([path, slash, name]), `${shown}/${name.toString('latin1')}`);
    } else if (kind === 0o120000) {
      lines.push(
        `symlink ${shown} -> ${readlinkSync(path, { encoding: 'buffer' }).toString('latin1')}`,
      );
    } else if (kind === 0o100000) {
      const first = nlink > 1 ? seen.get(ino) : undefined;
      seen.set(ino, first ?? shown);
      lines.push(
        `file ${permissions} ${shown} ${first === undefined ? sha256(readFileSync(path)) : `is ${first}`}`,
      );
    } else {
      lines.push(`other ${mode.toString(8)} ${shown}`);
    }
  };
  visit(Buffer.from(directory), '.');
  return lines.map((line) => JSON.stringify(line));
}

const slash = Buffer.from('/');

function pathIn(directory: string): (name: string | Buffer) => Buffer {
  return (name) => Buffer.concat([Buffer.from(directory), slash, Buffer.from(name)]);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The same bytes each time: a key stream. */
function randomBytes(length: number): Buffer {
  return createCipheriv('aes-256-ctr', Buffer.alloc(32, 7), Buffer.alloc(16, 9)).update(
    Buffer.alloc(length),
  );
}
