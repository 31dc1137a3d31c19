import { closeSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** An open descriptor of this process besides 0, 1 and 2. */
export interface OpenDescriptor {
  readonly number: number;
  /** Whether a program that this process starts gets it. */
  readonly isPassedOn: boolean;
  /** What the kernel says it is: a path, or text such as `pipe:[4711]`. */
  readonly target: string;
}

/**
 * The open descriptors of this process; none on a system without /proc. Throws when they cannot be
 * listed, for example because no descriptor is free.
 */
export function openDescriptors(folder = '/proc/self'): readonly OpenDescriptor[] {
  try {
    return readdirSync(`${folder}/fd`).flatMap((name) => {
      const number = Number(name);
      if (number < 3) return [];
      try {
        const target = readlinkSync(`${folder}/fd/${name}`);
        const [, flags = '0'] =
          /^flags:\s*(\d+)$/m.exec(readFileSync(`${folder}/fdinfo/${name}`, 'latin1')) ?? [];
        return [{ number, isPassedOn: (Number.parseInt(flags, 8) & O_CLOEXEC) === 0, target }];
      } catch (error) {
        // The descriptor of this very listing.
        if (isMissing(error)) return [];
        throw error;
      }
    });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** Linux; Node has no constant for it. */
const O_CLOEXEC = 0o2000000;

/**
 * The descriptors that a process was started with, besides 0, 1 and 2.
 *
 * Node opens its own with O_CLOEXEC, but at its start it also sets that flag for inherited ones
 * with low numbers. Of those that have the flag, the ones that look like Node's own are left out.
 */
export function inheritedOf(
  descriptors: readonly OpenDescriptor[],
  hasSockets = false,
): readonly number[] {
  const ends = new Map<string, number>();
  for (const { target } of descriptors) ends.set(target, (ends.get(target) ?? 0) + 1);
  const isNodes = ({ target }: OpenDescriptor): boolean =>
    target.startsWith('anon_inode:') ||
    // It keeps one for when there are too many, "/" if there is no /dev/null.
    /^\/(dev\/(null|u?random))?$/.test(target) ||
    // Node has both ends of its pipes.
    (target.startsWith('pipe:') && ends.get(target) === 2) ||
    (hasSockets && target.startsWith('socket:'));
  return descriptors
    .filter((descriptor) => descriptor.isPassedOn || !isNodes(descriptor))
    .map(({ number }) => number);
}

/**
 * Closes the descriptors that this process was started with, besides 0, 1, 2 and `kept`. To be
 * called before this process opens any.
 */
export function closeInherited(kept: readonly number[]): void {
  // A parent's channel and a debugger are sockets of Node's own.
  const hasSockets =
    process.channel !== undefined ||
    [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ').includes('--inspect');
  for (const number of inheritedOf(openDescriptors(), hasSockets)) {
    if (kept.includes(number)) continue;
    try {
      closeSync(number);
    } catch {
      // It is closed already.
    }
  }
}
