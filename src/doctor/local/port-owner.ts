import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemFiles } from './system-files.js';

/** What stands for a process that this user may not see. */
export const UNSEEN_OWNER = 'a process that this user may not see';

/** The command line of the process that listens on a TCP port; undefined when nothing listens. */
export function portOwner(port: number, files: SystemFiles): string | undefined {
  const inode = listeningInode(port, files);
  if (inode === undefined) return undefined;
  const link = `socket:[${inode}]`;
  const owner = files
    .list('/proc')
    .filter((path) => /^\/proc\/\d+$/.test(path))
    .find((path) => holds(files.path(join(path, 'fd')), link));
  const words = owner === undefined ? undefined : files.text(join(owner, 'cmdline'));
  return words === undefined || words === '' ? UNSEEN_OWNER : words.split('\0').join(' ').trim();
}

function listeningInode(port: number, files: SystemFiles): string | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // The address, the peer, the state of a listening socket, and six fields before the inode.
  const line = new RegExp(`:${hex} [0-9A-F]+:0000 0A(?:\\s+\\S+){5}\\s+(\\d+)`);
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const found = line.exec(files.text(table) ?? '')?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}

function holds(folder: string, link: string): boolean {
  try {
    return readdirSync(folder).some((name) => isLinkTo(join(folder, name), link));
  } catch {
    return false;
  }
}

function isLinkTo(path: string, link: string): boolean {
  try {
    return readlinkSync(path) === link;
  } catch {
    return false;
  }
}
