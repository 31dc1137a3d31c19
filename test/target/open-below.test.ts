import { link, mkdir, readdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { descriptorPath, openBelow, openBelowRoots } from '../../src/target/services/open-below.js';
import { sendbackupService } from '../../src/target/services/sendbackup-service.js';
import { Features } from '../../src/wire/features.js';
import { ask, contents, folder, replyText, text } from './scripts.js';

function asked(directory: string, more = '') {
  return {
    service: 'sendbackup',
    options: { features: Features.amanda351, hostname: 'client.example' },
    body: `<dle><program>GNUTAR</program><disk>a disk</disk><diskdevice>${directory}</diskdevice><level>0</level><record>NO</record><index>YES</index>${more}</dle>\n`,
  };
}

/** The index of a dump. */
function dumped(
  service: ReturnType<typeof sendbackupService>,
  directory: string,
  more?: string,
): Promise<string> {
  return ask(service, asked(directory, more), async ({ text: said, streams }) => {
    const { DATA, MESG, INDEX, STATE } = streams;
    if (DATA === undefined) throw new Error(said);
    const [index] = await Promise.all([text(INDEX), contents(DATA), text(MESG), text(STATE)]);
    return index;
  });
}

/** A root with a folder and a link to a folder elsewhere, which has a file `secret`. */
async function place(): Promise<{ root: string; elsewhere: string }> {
  const [root, elsewhere] = [await folder(), await folder()];
  await mkdir(join(root, 'in', 'deep'), { recursive: true });
  await writeFile(join(root, 'in', 'deep', 'file'), 'text');
  await writeFile(join(elsewhere, 'secret'), 'secret');
  await mkdir(join(elsewhere, 'deep'));
  await symlink(elsewhere, join(root, 'out'));
  return { root, elsewhere };
}

async function openDescriptors(): Promise<readonly string[]> {
  const names = await readdir('/proc/self/fd');
  const found = await Promise.all(
    names.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return found.filter((path) => path.includes('rx-amanda'));
}

describe('opening below roots', () => {
  it('leads to the directory that the path names', async () => {
    const { root } = await place();
    for (const path of ['in/deep', './in//deep/', 'in/./deep']) {
      const handle = await openBelowRoots([root], `${root}/${path}`, 'directory');
      expect(await readlink(descriptorPath(handle.fd))).toBe(join(root, 'in', 'deep'));
      await handle.close();
    }
  });

  it('takes a root that is a link, by its name and by its place', async () => {
    const { root } = await place();
    const called = join(await folder(), 'root');
    await symlink(root, called);
    for (const path of [join(called, 'in'), join(root, 'in')]) {
      const handle = await openBelowRoots([called], path, 'directory');
      expect(await readlink(descriptorPath(handle.fd))).toBe(join(root, 'in'));
      await handle.close();
    }
  });

  it('tries each root that the path may lie below', async () => {
    const { root } = await place();
    const handle = await openBelowRoots(
      ['/nonexistent', join(root, 'i'), join(root, 'in'), root],
      join(root, 'in', 'deep'),
      'directory',
    );
    expect(await readlink(descriptorPath(handle.fd))).toBe(join(root, 'in', 'deep'));
    await handle.close();
  });

  it.each([
    ['a link', 'out', 'ENOTDIR'],
    ['a folder below a link', 'out/deep', 'ENOTDIR'],
    ['a path that leads up', 'in/../in', 'ACCESS_DENIED'],
    ['a path with a NUL', 'in\0', 'ACCESS_DENIED'],
    ['a file as a directory', 'in/deep/file', 'ENOTDIR'],
    ['what is missing', 'in/missing', 'ENOENT'],
  ])('refuses %s, and keeps nothing open', async (_, path, code) => {
    const { root } = await place();
    await expect(openBelowRoots([root], `${root}/${path}`, 'directory')).rejects.toMatchObject({
      code,
    });
    expect(await openDescriptors()).toEqual([]);
  });

  it('keeps the directory when its name leads elsewhere afterwards', async () => {
    const { root, elsewhere } = await place();
    const handle = await openBelowRoots([root], join(root, 'in'), 'directory');
    const { rename } = await import('node:fs/promises');
    await rename(join(root, 'in'), join(root, 'moved'));
    await symlink(elsewhere, join(root, 'in'));
    const file = await openBelow(handle, 'deep/file', 'any');
    expect(await readlink(descriptorPath(file.fd))).toBe(join(root, 'moved', 'deep', 'file'));
    await Promise.all([file.close(), handle.close()]);
  });
});

describe('sendbackup with roots', () => {
  it('dumps a directory below one, with the names that it always has', async () => {
    const { root } = await place();
    const service = sendbackupService({ roots: [root] });
    expect(await dumped(service, join(root, 'in'))).toBe('/\n/deep/\n/deep/file\n');
    expect((await dumped(service, root)).split('\n').sort()).toEqual(
      ['', '/', '/in/', '/in/deep/', '/in/deep/file', '/out'].sort(),
    );
    await vi.waitFor(async () => {
      expect(await openDescriptors()).toEqual([]);
    });
  });

  it('dumps what was changed alone at level 1', async () => {
    const { root } = await place();
    const service = sendbackupService({ roots: [root], listDir: await folder() });
    const level = (number: number, directory = join(root, 'in')) =>
      ask(
        service,
        {
          ...asked(directory),
          body: asked(directory).body.replace(
            '<level>0</level><record>NO',
            `<level>${number}</level><record>YES`,
          ),
        },
        async ({ streams }) => {
          const { DATA, MESG, INDEX, STATE } = streams;
          const [index] = await Promise.all([text(INDEX), contents(DATA), text(MESG), text(STATE)]);
          return index;
        },
      );
    expect(await level(0)).toBe('/\n/deep/\n/deep/file\n');
    await writeFile(join(root, 'in', 'deep', 'fresh'), 'fresh');
    expect(await level(1)).toBe('/\n/deep/\n/deep/fresh\n');
    expect(await level(2)).toBe('/\n/deep/\n');
  });

  it('gives one answer for each exclude list outside, there or not, readable or not', async () => {
    const { root, elsewhere } = await place();
    await writeFile(join(root, 'in', 'list'), './deep/file\n');
    await symlink(join(elsewhere, 'secret'), join(root, 'in', 'linked'));
    const service = sendbackupService({ roots: [root] });
    const said = (list: string): Promise<string> =>
      replyText(service, asked(join(root, 'in'), `<exclude><list>${list}</list></exclude>`));
    for (const list of [
      join(elsewhere, 'secret'),
      join(elsewhere, 'missing'),
      elsewhere,
      '/etc/shadow',
      '/dev/zero',
      `${root}/../${elsewhere.split('/').at(-1) ?? ''}/secret`,
      join(root, 'out', 'secret'),
      join(root, 'in', 'linked'),
      join(root, 'in', 'missing'),
      join(root, 'in'),
    ]) {
      expect(await said(list)).toBe(
        `ERROR [sendbackup: cannot read the exclude list ${join(list)}]\n`,
      );
    }
    expect(await said('../out/secret')).toMatch(
      /^ERROR \[sendbackup: cannot read the exclude list /,
    );
    expect(await openDescriptors()).toEqual([]);
  });

  it('ignores an optional exclude list outside, there or not', async () => {
    const { root, elsewhere } = await place();
    await writeFile(join(elsewhere, 'list'), './deep\n');
    const service = sendbackupService({ roots: [root] });
    for (const list of ['list', 'missing']) {
      const more = `<exclude><list>${join(elsewhere, list)}</list><optional>YES</optional></exclude>`;
      expect(await dumped(service, join(root, 'in'), more)).toBe('/\n/deep/\n/deep/file\n');
    }
  });

  it('reads exclude lists below a root, by a relative name and by a path, and all of them', async () => {
    const { root } = await place();
    await writeFile(join(root, 'in', 'one'), './deep/file');
    await writeFile(join(root, 'two'), '\n./one\n');
    const more = `<exclude><list>one</list><list>${join(root, 'two')}</list></exclude>`;
    expect(await dumped(sendbackupService({ roots: [root] }), join(root, 'in'), more)).toBe(
      '/\n/deep/\n',
    );
  });

  it('refuses exclude lists of more than 1 MiB together', async () => {
    const { root } = await place();
    const list = join(root, 'list');
    await writeFile(list, `${'x'.repeat(63)}\n`.repeat(12_000));
    await link(list, join(root, 'again'));
    const more = `<exclude><list>${list}</list><list>${join(root, 'again')}</list></exclude>`;
    expect(await replyText(sendbackupService({ roots: [root] }), asked(root, more))).toBe(
      `ERROR [sendbackup: cannot read the exclude list ${join(root, 'again')}]\n`,
    );
    expect(await replyText(sendbackupService(), asked(root, more))).toBe(
      `ERROR [sendbackup: cannot read the exclude list ${join(root, 'again')}]\n`,
    );
  });
});
