import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * What an archive of GNU tar keeps of a tree, a line for each entry: name, type,
 * mode, owner, time in seconds, links, holes, contents. No extended attributes.
 */
export function exactLines(directory: string): readonly string[] {
  const seen = new Map<bigint, string>();
  const lines: string[] = [];
  const visit = (path: Buffer, shown: string): void => {
    const stats = lstatSync(path, { bigint: true });
    const { mode, uid, gid, mtimeNs, ino, nlink, size, blocks } = stats;
    const front = `${shown} ${mode.toString(8)} ${uid}:${gid} ${mtimeNs / 1_000_000_000n}`;
    if (stats.isDirectory()) {
      lines.push(front);
      for (const name of readdirSync(path, { encoding: 'buffer' }).sort((a, b) => a.compare(b)))
        visit(Buffer.concat([path, SLASH, name]), `${shown}/${name.toString('latin1')}`);
    } else if (stats.isSymbolicLink()) {
      lines.push(`${front} -> ${readlinkSync(path, 'buffer').toString('latin1')}`);
    } else if (!stats.isFile()) {
      lines.push(front);
    } else if (nlink > 1n && seen.has(ino)) {
      lines.push(`${front} is ${seen.get(ino) ?? ''}`);
    } else {
      seen.set(ino, shown);
      const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
      lines.push(`${front} ${size} ${blocks * 512n < size ? 'with holes' : ''} ${hash}`);
    }
  };
  visit(Buffer.from(directory), '.');
  return lines.map((line) => JSON.stringify(line));
}

const SLASH = Buffer.from('/');
