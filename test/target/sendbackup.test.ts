import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { firstValueFrom, from, mergeMap, tap, throwError } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { Service } from '../../src/exchange/service.js';
import { sendbackupService } from '../../src/target/services/sendbackup-service.js';
import { crc32c, formatChecksum } from '../../src/wire/crc32c.js';
import { Features } from '../../src/wire/features.js';
import {
  ask,
  children,
  contents,
  folder,
  isThere,
  replyText,
  script,
  session,
  text,
} from './scripts.js';

const run = promisify(execFile);

/** A tree of names that need quoting. */
async function tree(): Promise<string> {
  const root = await folder();
  await mkdir(join(root, 'b'));
  await writeFile(join(root, 'one.txt'), 'one\n');
  await writeFile(join(root, 'b', 'two words.txt'), 'two\n');
  await writeFile(join(root, 'ü\nnewline'), '');
  await writeFile(join(root, '-dash'), 'x'.repeat(100_000));
  await writeFile(join(root, '..dots'), '');
  await symlink('one.txt', join(root, 'link'));
  return root;
}

function dle(
  directory: string,
  more = '<level>0</level><record>NO</record><index>YES</index>',
  program = 'GNUTAR',
): string {
  return `<dle><program>${program}</program><disk>a disk</disk><diskdevice>${directory}</diskdevice>${more}</dle>\n`;
}

function asked(body: string, features = Features.amanda351) {
  return { service: 'sendbackup', options: { features, hostname: 'client.example' }, body };
}

interface Dumped {
  readonly reply: string;
  readonly names: readonly string[];
  readonly data: Buffer;
  readonly messages: string;
  readonly index: string | undefined;
}

function dump(
  service: ReturnType<typeof sendbackupService>,
  body: string,
  features = Features.amanda351,
): Promise<Dumped> {
  return ask(service, asked(body, features), async ({ text: reply, streams }) => {
    const [data, messages, index] = await Promise.all([
      contents(streams['DATA']),
      text(streams['MESG']),
      streams['INDEX'] === undefined ? undefined : text(streams['INDEX']),
      streams['STATE'] === undefined ? undefined : text(streams['STATE']),
    ]);
    return { reply, names: Object.keys(streams), data, messages, index };
  });
}

describe('sendbackup of a directory', () => {
  it('sends the archive, and says what it is in the words of Amanda', async () => {
    const { reply, names, data, messages } = await dump(sendbackupService(), dle(await tree()));
    expect(names).toEqual(['DATA', 'MESG', 'INDEX', 'STATE']);
    expect(reply.split('\n').slice(1)).toEqual([
      expect.stringMatching(/^OPTIONS features=[0-9a-f]+;$/),
      '',
    ]);
    const sum = formatChecksum(crc32c(data), data.length);
    expect(messages.replace(/\(.*\)\n/, '(…)\n')).toBe(
      [
        'sendbackup: start [client.example:"a disk" level 0]',
        'sendbackup: info BACKUP=/bin/tar',
        'sendbackup: info RECOVER_CMD=/bin/tar -xpGf - ...',
        'sendbackup: info end',
        `| Total bytes written: ${data.length} (…)`,
        `sendbackup: native-CRC ${sum}`,
        `sendbackup: client-CRC ${sum}`,
        `sendbackup: size ${data.length / 1024}`,
        'sendbackup: end',
        '',
      ].join('\n'),
    );
  });

  it('sends an index of what is in the archive', async () => {
    const { index } = await dump(sendbackupService(), dle(await tree()));
    expect(index?.split('\n').sort()).toEqual(
      [
        '',
        '/',
        '/-dash',
        '/..dots',
        '/b/',
        '/b/two words.txt',
        '/link',
        '/one.txt',
        '/\\303\\274\\nnewline',
      ].sort(),
    );
  });

  it('sends an archive from which tar makes the same tree', async () => {
    const [source, copy] = [await tree(), await folder()];
    const { data } = await dump(sendbackupService(), dle(source));
    await writeFile(join(copy, 'archive'), data);
    await mkdir(join(copy, 'tree'));
    await run('/bin/tar', ['-xpGf', join(copy, 'archive'), '-C', join(copy, 'tree')]);
    await run('diff', ['-r', '--no-dereference', source, join(copy, 'tree')]);
  });

  it('has no INDEX without a request for it, and no STATE for a requester without that feature', async () => {
    const features = Features.amanda351.without('fe_sendbackup_stream_state', 'fe_sendbackup_crc');
    const { reply, messages } = await dump(
      sendbackupService(),
      dle(await tree(), '<level>0</level><record>NO</record>'),
      features,
    );
    expect(reply).toMatch(/^CONNECT DATA \d+ MESG \d+ INDEX -1\n/);
    expect(messages).not.toContain('CRC');
  });

  it('leaves out what is excluded', async () => {
    const source = await tree();
    await writeFile(join(source, 'b', 'list'), './one.txt\n');
    const { index } = await dump(
      sendbackupService(),
      dle(
        source,
        '<level>0</level><record>NO</record><index>YES</index><exclude><file>./-dash</file><file>*.nothing</file><list>b/list</list></exclude>',
      ),
    );
    expect(index).not.toContain('/one.txt');
    expect(index).not.toContain('/-dash');
    expect(index).toContain('/b/list\n');
  });

  it('dumps what has changed since the level below, when it is to keep record', async () => {
    const [source, listDir] = [await tree(), await folder()];
    const level = (number: number, record: string) =>
      dle(source, `<level>${number}</level><record>${record}</record><index>YES</index>`);
    await dump(sendbackupService({ listDir }), level(0, 'YES'));
    await writeFile(join(source, 'b', 'fresh'), 'fresh');
    const first = await dump(sendbackupService({ listDir }), level(1, 'NO'));
    expect(first.index).toBe('/\n/b/\n/b/fresh\n');
    const again = await dump(sendbackupService({ listDir }), level(1, 'YES'));
    expect(again.index).toBe('/\n/b/\n/b/fresh\n');
    const second = await dump(sendbackupService({ listDir }), level(2, 'YES'));
    expect(second.index).toBe('/\n/b/\n');
    expect((await readdir(listDir)).sort()).toEqual([
      expect.stringMatching(/_0$/),
      expect.stringMatching(/_1$/),
      expect.stringMatching(/_2$/),
    ]);
  });

  it.each([[{}], [{ roots: ['/tmp'] }]])(
    'dumps a directory whose name is not UTF-8, by its bytes: %j',
    async (options) => {
      const path = Buffer.concat([Buffer.from(`${await folder()}/`), Buffer.of(0xe9)]);
      await mkdir(path);
      await writeFile(Buffer.concat([path, Buffer.from('/file')]), 'content');
      const raw = `encoding="raw" raw="${path.toString('base64')}"`;
      const body = `<dle><program>GNUTAR</program><disk>d</disk><diskdevice ${raw}>_</diskdevice><level>0</level><index>YES</index></dle>`;
      const { index, messages } = await dump(sendbackupService(options), body);
      expect(messages).toMatch(/\nsendbackup: end\n$/);
      expect(index).toBe('/\n/file\n');
    },
  );

  it('says so when a dump of level 1 has everything, because nothing is recorded', async () => {
    const [source, listDir] = [await tree(), await folder()];
    const level = (number: number) =>
      dle(source, `<level>${number}</level><record>YES</record><index>YES</index>`);
    const everything = '? no dump of a lower level is recorded here, so this one has everything\n';
    const first = await dump(sendbackupService({ listDir }), level(1));
    expect(first.messages).toContain(`sendbackup: info end\n${everything}`);
    const second = await dump(sendbackupService({ listDir }), level(2));
    expect(second.messages).not.toContain('?');
    const full = await dump(sendbackupService({ listDir }), level(0));
    expect(full.messages).not.toContain('?');
  });

  it('says so when the dump cannot be noted', async () => {
    const listDir = await folder();
    const service = sendbackupService({ listDir });
    const body = dle(await tree(), '<level>0</level><record>YES</record>');
    await dump(service, body);
    const [noted = ''] = await readdir(listDir);
    await rm(join(listDir, noted));
    await mkdir(join(listDir, noted));
    const { messages } = await dump(service, body);
    expect(messages).toMatch(/\nsendbackup: error \[EISDIR: [^\n]*\]\n$/);
    await vi.waitFor(async () => {
      expect(await readdir(listDir)).toEqual([noted]);
    });
  });

  it('says what tar says when the directory is not there', async () => {
    const { messages, data, index } = await dump(sendbackupService(), dle('/nonexistent'));
    expect(messages.split('\n').slice(4, -2)).toEqual([
      '? /bin/tar: /nonexistent: Cannot open: No such file or directory',
      '? /bin/tar: Error is not recoverable: exiting now',
    ]);
    expect(messages).toMatch(/\nsendbackup: error \[dump \(\d+\) \/bin\/tar returned 2\]\n$/);
    expect([data.length, index]).toEqual([0, '']);
  });

  it('says so when tar is ended by a signal', async () => {
    const tar = join(await folder(), 'tar');
    await writeFile(tar, '#!/bin/sh\nkill -9 $$\n', { mode: 0o755 });
    const { messages } = await dump(
      sendbackupService({ tar }),
      dle(await tree(), '<level>0</level>'),
    );
    expect(messages).toMatch(/\nsendbackup: error \[dump \(\d+\) \S+\/tar got signal 9\]\n$/);
  });

  it.each([
    ['is killed', 'kill -9 $$', /^sendbackup: error \[index \(\d+\) \S+ got signal 9\]$/m],
    ['fails', 'exit 2', /^sendbackup: error \[index \(\d+\) \S+ returned 2\]$/m],
  ])(
    'is a failure when what lists it %s, since a list that stops half-way looks like a whole one',
    async (_, how, error) => {
      const tar = await script(
        `if [ "$1" = -tf ]; then head -c 2000 >/dev/null; echo ./; ${how}; fi`,
        'exec /bin/tar "$@"',
      );
      const { messages, index } = await dump(sendbackupService({ tar }), dle(await tree()));
      expect(index).toBe('/\n');
      expect(messages).toMatch(error);
      expect(messages).not.toContain('sendbackup: end');
    },
  );

  it('takes a tar that says nothing of its size for a failure', async () => {
    const { messages } = await dump(
      sendbackupService({ tar: '/bin/true' }),
      dle(await tree(), '<level>0</level>'),
    );
    expect(messages).toMatch(/\nsendbackup: error \[no backup size line\]\n$/);
  });

  it.each(['TMPDIR', 'listDir'])(
    'ends tar when the requester leaves, and has nothing with a name in %s that a kill would leave',
    async (where) => {
      const place = await folder();
      const pidFile = join(await folder(), 'pid');
      const tar = await script(`echo $$ > ${pidFile}`, 'exec sleep 1000');
      const body = dle(await tree(), '<level>0</level>');
      if (where === 'TMPDIR') vi.stubEnv('TMPDIR', place);
      const service = sendbackupService(where === 'TMPDIR' ? { tar } : { tar, listDir: place });
      await ask(service, asked(body), async ({ streams }) => {
        await vi.waitFor(() => readFile(pidFile, 'utf8').then((said) => expect(said).not.toBe('')));
        expect(await readdir(place)).toEqual([]);
        for (const stream of Object.values(streams)) stream.discard();
      }).finally(() => vi.unstubAllEnvs());
      const pid = Number(await readFile(pidFile, 'utf8'));
      await vi.waitFor(async () => {
        expect(isThere(pid)).toBe(false);
        expect(await readdir(place)).toEqual([]);
      });
    },
  );
});

describe('a requester that leaves in the middle', () => {
  it.each(['DATA', 'MESG', 'INDEX'])('of %s leaves no process behind', async (name) => {
    const source = await folder();
    await writeFile(join(source, 'large'), '');
    await truncate(join(source, 'large'), 50_000_000);
    await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        writeFile(join(source, `file ${n}`), 'x'.repeat(100_000)),
      ),
    );
    const before = await children();
    await session(sendbackupService(), asked(dle(source)), (replies) =>
      firstValueFrom(
        replies.pipe(
          mergeMap(({ streams }) => {
            if (name !== 'DATA') streams['DATA']?.discard();
            return streams[name] ?? throwError(() => new Error('there is no stream'));
          }),
        ),
      ),
    );
    await vi.waitFor(async () => {
      expect(await children()).toEqual(before);
    });
  });
});

describe('sendbackup refuses', () => {
  const place = '/tmp';

  it.each([
    ['no DLE', '', "FORMAT ERROR IN REQUEST PACKET 'One DLE required'"],
    ['two DLEs', dle(place) + dle(place), "FORMAT ERROR IN REQUEST PACKET 'Only one DLE allowed'"],
    ['no level', dle(place, ''), "FORMAT ERROR IN REQUEST PACKET 'no valid sendbackup request'"],
    [
      'two levels',
      dle(place, '<level>0</level><level>1</level>'),
      "FORMAT ERROR IN REQUEST PACKET 'Too many level'",
    ],
    [
      'another program',
      dle(place, '<level>0</level>', 'STAR'),
      '[sendbackup: unknown program STAR]',
    ],
    [
      'an application',
      dle(
        place,
        '<level>0</level><backup-program><plugin>amgtar</plugin></backup-program>',
        'APPLICATION',
      ),
      '[sendbackup: programs of type APPLICATION are not supported here, only GNUTAR is]',
    ],
    [
      'compression here',
      dle(place, '<level>0</level><compress>FAST</compress>'),
      '[sendbackup: compression on the client is not supported here]',
    ],
    [
      'a level without a base',
      dle(place, '<level>1</level>'),
      '[sendbackup: level 1 is not possible here, only 0 is]',
    ],
    [
      'a path that is not absolute',
      dle('etc'),
      '[sendbackup: etc is not the absolute path of a directory]',
    ],
    [
      'an option for a path',
      dle('--help'),
      '[sendbackup: --help is not the absolute path of a directory]',
    ],
    [
      'an include list',
      dle(place, '<level>0</level><include><file>./x</file></include>'),
      '[sendbackup: include lists are not supported here]',
    ],
    [
      'an exclude list that is not there',
      dle(place, '<level>0</level><exclude><list>/nonexistent</list></exclude>'),
      '[sendbackup: cannot read the exclude list /nonexistent]',
    ],
    [
      'an exclude list without an end',
      dle(place, '<level>0</level><exclude><list>/dev/zero</list></exclude>'),
      '[sendbackup: cannot read the exclude list /dev/zero]',
    ],
  ])('%s', async (_, body, reason) => {
    expect(await replyText(sendbackupService(), asked(body))).toBe(`ERROR ${reason}\n`);
  });

  it('what is not below one of its roots, and what only seems to be', async () => {
    const [root, elsewhere] = [await folder(), await folder()];
    await symlink(elsewhere, join(root, 'out'));
    await mkdir(join(root, 'in'));
    const service = sendbackupService({ roots: [root] });
    for (const directory of [
      elsewhere,
      join(root, 'out'),
      join(root, '..'),
      join(root, 'nonexistent'),
    ]) {
      expect(await replyText(service, asked(dle(directory)))).toBe(
        `ERROR [sendbackup: ${directory} is not offered for backup here]\n`,
      );
    }
    expect((await dump(service, dle(join(root, 'in')))).index).toBe('/\n');
  });

  it('a list outside its roots, with the same words whether there is one', async () => {
    const [root, elsewhere] = [await folder(), await folder()];
    await writeFile(join(elsewhere, 'secret'), '*.txt\n');
    await writeFile(join(root, 'list'), './kept-out\n');
    await symlink(join(elsewhere, 'secret'), join(root, 'link'));
    await writeFile(join(root, 'kept-out'), '');
    await writeFile(join(root, 'a.txt'), '');
    const service = sendbackupService({ roots: [root] });
    const with_ = (list: string, optional = ''): string =>
      dle(
        root,
        `<level>0</level><index>YES</index><exclude><list>${list}</list>${optional}</exclude>`,
      );
    for (const list of [join(elsewhere, 'secret'), join(elsewhere, 'none'), '/etc/shadow'])
      expect(await replyText(service, asked(with_(list)))).toBe(
        `ERROR [sendbackup: cannot read the exclude list ${list}]\n`,
      );
    const ignored = with_(join(root, 'link'), '<optional>YES</optional>');
    expect((await dump(service, ignored)).index).toContain('/a.txt\n');
    const { index } = await dump(service, with_('list'));
    expect(index).toContain('/a.txt\n');
    expect(index).not.toContain('kept-out');
  });

  it('what its owner does not allow', async () => {
    const service = sendbackupService({ allow: ({ disk }) => disk !== 'a disk' });
    expect(await replyText(service, asked(dle('/tmp')))).toBe(
      'ERROR [sendbackup: /tmp is not offered for backup here]\n',
    );
  });

  it('what the check of its owner fails for, and keeps what it threw for the events', async () => {
    const thrown = new TypeError('entries.get is not a function');
    const service = sendbackupService({
      allow: () => {
        throw thrown;
      },
    });
    const failures: unknown[] = [];
    const watched: Service = (request) =>
      from(service(request)).pipe(tap({ error: (error: unknown) => failures.push(error) }));
    expect(await replyText(watched, asked(dle('/tmp')))).toBe(
      'ERROR service sendbackup: the service failed\n',
    );
    expect(failures).toEqual([thrown]);
  });

  it('to go on without a tar', async () => {
    expect(
      await replyText(sendbackupService({ tar: '/nonexistent/tar' }), asked(dle('/tmp'))),
    ).toBe('ERROR [sendbackup: spawn /nonexistent/tar ENOENT]\n');
  });
});
