import type { MemberChoice, TarMember } from './tar-reader.js';
import { badArchive } from './tar-header.js';
import { shownPath } from '../../initiator/recover/escaped-path.js';
import { printable } from '../../wire/text.js';

/** The selection needs another path of the archive: for a hard link, or for a rename. */
export class SelectionTooNarrow extends Error {
  override readonly name = 'SelectionTooNarrow';
  readonly needed: string;

  constructor(needed: string) {
    super(`${shown(needed)} is needed, too.`);
    this.needed = needed;
  }
}

/**
 * Decides what of the archives of one restore reaches tar. Each path is from the root, without a
 * slash at its end, with one character for each byte.
 *
 * Throws `BAD_ARCHIVE` for a name with `..`, and for one below a symbolic link of the same restore:
 * tar would follow the link.
 */
export class ArchiveGuard {
  readonly #selected: readonly string[];
  readonly #links = new Set<string>();
  /** The directory that was checked last, and is not below a link. */
  #checked = '';
  readonly #onMember: (path: string, member: TarMember) => void;

  constructor(
    selected: readonly string[],
    onMember: (path: string, member: TarMember) => void = () => undefined,
  ) {
    this.#selected = selected;
    this.#onMember = onMember;
  }

  /** For {@link TarReader}. Throws {@link SelectionTooNarrow}, too. */
  readonly choose = (member: TarMember): MemberChoice => {
    const path = pathOf(member.name);
    this.#refuseBelowLink(path);
    const links = member.type === '1' && this.#links.has(pathOf(member.linkName));
    if (member.type === '1') this.#refuseBelowLink(pathOf(member.linkName));
    if (member.type === '2' || links) {
      this.#links.add(path);
      this.#checked = '';
    } else this.#links.delete(path);
    const renames = this.#renames(member);
    const isSelected = this.#isSelected(path);
    if (isSelected) this.#onMember(path, member);
    if (isSelected && this.#selected.includes('/')) return 'keep';
    if (renames.some((one) => this.#crosses(one))) throw new SelectionTooNarrow('/');
    if (isSelected && member.type === '1' && !this.#isSelected(pathOf(member.linkName)))
      throw new SelectionTooNarrow(pathOf(member.linkName));
    if (!isSelected && !(isDirectory(member) && this.#isAbove(path))) return 'drop';
    return renames.length > 0 ? 'keep-without-renames' : 'keep';
  };

  #refuseBelowLink(path: string): void {
    const directory = parentOf(path);
    if (directory === this.#checked) return;
    for (let above = directory; above !== '/'; above = parentOf(above))
      if (this.#links.has(above))
        throw badArchive(`${shown(path)} is below ${shown(above)}, which is a symbolic link`);
    this.#checked = directory;
  }

  /** tar renames directories as an incremental dump says, wherever the names lead. */
  #renames({ dumpdir }: TarMember): readonly { readonly from: string; readonly to: string }[] {
    if (dumpdir?.renamesAt === undefined) return [];
    return dumpdir.renames.map((rename) => {
      const [from, to] = [rename.from, rename.to].map((name) => pathOf(name)) as [string, string];
      for (const path of [from, to]) this.#refuseBelowLink(path);
      for (const link of [...this.#links])
        if (link.startsWith(`${from}/`)) this.#links.add(`${to}${link.slice(from.length)}`);
      this.#checked = '';
      return { from, to };
    });
  }

  #crosses({ from, to }: { readonly from: string; readonly to: string }): boolean {
    return [from, to].some((path) => this.#isSelected(path) || this.#isAbove(path));
  }

  #isSelected(path: string): boolean {
    return this.#selected.some((one) => one === '/' || path === one || path.startsWith(`${one}/`));
  }

  #isAbove(path: string): boolean {
    return path === '/' || this.#selected.some((one) => one.startsWith(`${path}/`));
  }
}

function isDirectory({ type }: TarMember): boolean {
  return type === '5' || type === 'D';
}

/** The path of a member. Like tar, takes an absolute name from the root of the archive. */
function pathOf(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw badArchive(`the name ${shown(name)} leads out of it`);
  return `/${parts.join('/')}`;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

function shown(latin1: string): string {
  return printable(shownPath(latin1));
}
