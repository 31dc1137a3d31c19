import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCertificates, readSmallFile } from '../../src/access/certificate-files.js';
import { readRegularFile, readUpTo } from '../../src/access/regular-file.js';
import { ConfigFiles } from '../../src/cli/config/files.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regular-file-'));
  execFileSync('mkfifo', [join(folder, 'fifo')]);
  mkdirSync(join(folder, 'folder'));
  symlinkSync('/dev/zero', join(folder, 'device'));
  symlinkSync(join(folder, 'fifo'), join(folder, 'link'));
  writeFileSync(join(folder, 'file'), 'text');
  for (const name of ['fifo', 'folder', 'device'])
    writeFileSync(join(folder, `includes-${name}`), `includefile "${join(folder, name)}"\n`);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.each(['fifo', 'folder', 'device', 'link'])('a %s in the place of a file', (name) => {
  const reason = /it is no regular file/;

  it('is an error at once', () => {
    expect(() => readRegularFile(join(folder, name), 100)).toThrow(reason);
  });

  it('is an error at once for certificates, keys and fingerprints', async () => {
    const path = join(folder, name);
    expect(() => readSmallFile(path)).toThrow(
      expect.objectContaining({
        code: 'FILE_FAILED',
        message: `Cannot read ${path}: it is no regular file.`,
      }),
    );
    const files = { sslCertFile: path, sslKeyFile: path, sslCaCertFile: path };
    expect(() => readCertificates(files)).toThrow(expect.objectContaining({ code: 'FILE_FAILED' }));
  });

  it('is an error at once for a configuration', () => {
    const path = join(folder, name);
    expect(() => new ConfigFiles().statements(path)).toThrow(
      `Cannot read ${path}: it is no regular file.`,
    );
  });
});

describe.each(['fifo', 'folder', 'device'])('an included %s', (name) => {
  it('is an error at once', () => {
    const read = (): unknown => [
      ...(new ConfigFiles().statements(join(folder, `includes-${name}`)) ?? []),
    ];
    expect(read).toThrow(`Cannot read ${join(folder, name)}: it is no regular file.`);
  });
});

describe('a regular file', () => {
  it('is read up to the limit, also one that claims to be empty', () => {
    expect(readRegularFile(join(folder, 'file'), 4).bytes.toString()).toBe('text');
    expect(() => readRegularFile(join(folder, 'file'), 3)).toThrow('it has over 3 bytes');
    expect(readRegularFile('/proc/self/limits', 100_000).bytes).toEqual(
      readFileSync('/proc/self/limits'),
    );
  });

  it('is read whole when it has grown since its size was asked for', () => {
    const bytes = Buffer.from('grown '.repeat(1_000));
    writeFileSync(join(folder, 'grown'), bytes);
    for (const size of [0, 1_000, 5_999, 6_000]) {
      const file = openSync(join(folder, 'grown'), 'r');
      expect(readUpTo(file, size, 6_000)).toEqual(bytes);
      closeSync(file);
    }
  });

  it('stays open neither after it was read nor after an error', () => {
    readRegularFile(join(folder, 'file'), 4);
    expect(() => readRegularFile(join(folder, 'file'), 3)).toThrow();
    const open = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    });
    expect(open).not.toContain(join(folder, 'file'));
  });
});
