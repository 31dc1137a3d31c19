import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { amandaServices } from '../../src/target/process/amanda-services.js';
import { noopService, ourFeatures } from '../../src/target/services/noop-service.js';
import { tarMessage } from '../../src/target/services/tar.js';
import { folder, replyText } from './scripts.js';

const amdump = ['noop', 'sendsize', 'sendbackup', 'selfcheck'];
const all = [
  ...amdump,
  'senddiscover',
  'restore',
  'amindexd',
  'amidxtaped',
  'amdumpd',
  'ambackupd',
];

describe('amandaServices', () => {
  it.each([
    ['bsdtcp', [...amdump, 'senddiscover', 'restore']],
    ['ssl', [...amdump, 'senddiscover', 'restore']],
    [undefined, [...amdump, 'senddiscover', 'restore']],
    ['local', all],
    ['ssh', all],
    ['rsh', all],
  ])('offers over %s what amandad offers when nothing is named', (auth, names) => {
    expect(Object.keys(amandaServices(auth === undefined ? {} : { auth })).sort()).toEqual(
      [...names].sort(),
    );
  });

  it('offers what is named and nothing else; amdump stands for four', () => {
    expect(Object.keys(amandaServices({ auth: 'local', names: ['noop'] }))).toEqual(['noop']);
    expect(Object.keys(amandaServices({ names: ['amindexd', 'amdump', 'noop'] })).sort()).toEqual(
      ['amindexd', ...amdump].sort(),
    );
  });

  it.each(['../../bin/sh', '/bin/sh', 'NOOP', '', '__proto__', 'constructor'])(
    'does not make a path of the name %j',
    (name) => {
      expect(() => amandaServices({ names: [name] })).toThrow(/no service of Amanda's/);
    },
  );

  it('runs the executable of that name in the folder', async () => {
    const libexec = await folder();
    await writeFile(join(libexec, 'noop'), '#!/bin/sh\necho "$0" "$@"\n', { mode: 0o755 });
    expect(
      await replyText(amandaServices({ libexec, auth: 'bsdtcp' })['noop'] ?? noopService(), {
        service: 'noop',
      }),
    ).toBe(`${libexec}/noop amandad bsdtcp\n`);
  });

  it('refuses an executable that may not be executed', async () => {
    const libexec = await folder();
    await copyFile('/bin/true', join(libexec, 'noop'));
    await chmod(join(libexec, 'noop'), 0o644);
    await expect(
      replyText(amandaServices({ libexec })['noop'] ?? noopService(), { service: 'noop' }),
    ).rejects.toThrow(`execute access to '${libexec}/noop' denied`);
  });
});

describe('noop', () => {
  it('says what we can do', async () => {
    expect(await replyText(noopService(), { service: 'noop' })).toBe(
      'OPTIONS features=ffbff8879cfefbd5dffffdfbfffff3fffbf717;\n',
    );
  });

  it('does not offer what would make a requester wait for ever', () => {
    expect(ourFeatures.has(147)).toBe(false);
  });
});

describe('tarMessage', () => {
  it.each([
    ['Total bytes written: 10240 (10KiB, 6.6MiB/s)', '|', 10240],
    [' Total bytes written: 7', '|', 7],
    ['/bin/tar: ./socket: socket ignored', '|', undefined],
    ['Elapsed time: 3 s', '|', undefined],
    ['/bin/tar: ./x: File removed before we read it', '?', undefined],
    ['/bin/tar: ./x: file changed as we read it', '?', undefined],
    ['/bin/tar: Total bytes written: 7', '?', undefined],
    ['', '?', undefined],
  ])('%j is marked %s', (line, mark, bytes) => {
    expect(tarMessage(line)).toEqual(bytes === undefined ? { mark } : { mark, bytes });
  });
});
