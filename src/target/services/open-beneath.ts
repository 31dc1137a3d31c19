import { constants } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { relative } from 'node:path';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/**
 * Opens what a peer names, if it lies in one of the roots, links resolved; undefined if it does not
 * exist there. A local process may swap folders and links meanwhile: each component is opened below
 * the one before it, and a link is followed no more.
 *
 * Node has no openat, so this needs /proc. Without it nothing is found.
 */
export async function openBeneath(
  roots: readonly string[],
  named: string,
  kind: 'directory' | 'file',
): Promise<FileHandle | undefined> {
  for (const root of roots) {
    const found = await openInside(root, named, kind).catch(() => undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function openInside(
  root: string,
  named: string,
  kind: 'directory' | 'file',
): Promise<FileHandle | undefined> {
  const path = relative(await realpath(root), await realpath(named));
  if (path === '..' || path.startsWith('../')) return undefined;
  const components = path.split('/').filter((component) => component !== '');
  let handle = await open(root, O_RDONLY | O_DIRECTORY);
  for (const [at, component] of components.entries()) {
    const isLast = at === components.length - 1;
    const flags = isLast && kind === 'file' ? O_NONBLOCK : O_DIRECTORY;
    const parent = handle;
    try {
      handle = await open(inside(parent, component), O_RDONLY | O_NOFOLLOW | flags);
    } finally {
      await parent.close();
    }
  }
  return handle;
}

/** The same file or directory whatever happens to its name, for this process. */
function inside({ fd }: FileHandle, component: string): string {
  return `/proc/self/fd/${fd}/${component}`;
}
