import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { join } from 'node:path';
import { bsdtcp } from '../../../src/drivers/bsdtcp.js';
import type { Driver } from '../../../src/drivers/driver.js';
import { installRxAmandad } from '../../support/rx-amandad.js';
import { giveToBackup, openSandbox, whyNoSandbox } from '../../support/sandbox.js';
import { anyPort } from './honest.js';
import { Target, besides } from './program.js';

/** A target for all kinds of traffic, and how it is reached. */
export interface Served {
  readonly name: string;
  readonly target: Target;
  readonly driver: () => Driver;
  /** The device of a disk of so many KiB. */
  readonly device: (kilobytes: number) => string;
  readonly close: () => Promise<void>;
}

/** The sizes of the disks that there are, in KiB. */
export const diskSizes = [64, 1_024, 8_192] as const;

/**
 * rx-amandad as it is installed, with tar and services of its own, where a sandbox can be made;
 * else a target of the library's.
 */
export async function startServed(): Promise<Served> {
  return whyNoSandbox() === undefined ? startAmandad() : startLibrary();
}

async function startLibrary(): Promise<Served> {
  const target = await Target.start();
  return {
    name: 'a target of the library',
    target,
    driver: () => anyPort(target.port),
    device: (size) => (diskSizes.some((known) => known === size) ? `/${size}` : '/missing'),
    close: () => target.stop(),
  };
}

async function startAmandad(): Promise<Served> {
  const sandbox = openSandbox();
  const [libexec, disks, preload] = ['libexec', 'disks', 'figures.mjs'].map((name) =>
    join(sandbox.directory, name),
  ) as [string, string, string];
  copyFileSync(besides('figures.mjs'), preload);
  mkdirSync(libexec);
  writeFileSync(
    join(libexec, 'selfcheck'),
    '#!/bin/sh\ncat >/dev/null\necho "OPTIONS ;"\necho "OK /"\n',
    { mode: 0o755 },
  );
  for (const size of diskSizes) {
    const device = join(disks, String(size));
    mkdirSync(device, { recursive: true });
    for (let file = 0; file < 8; file += 1)
      writeFileSync(join(device, `file-${file}`), Buffer.alloc((size * 1_024) / 8, file));
  }
  giveToBackup(disks);
  const words = [
    '-auth=bsdtcp',
    '-no-exit',
    '-tcp=0',
    '-listen=127.0.0.1',
    '-own',
    `-libexec=${libexec}`,
    'amdump',
  ];
  const child = sandbox.start(installRxAmandad(sandbox), words, {
    cwd: '/',
    environment: { NODE_OPTIONS: `--import ${preload}` },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const target = new Target(child, await portOf(child));
  const close = async (): Promise<void> => {
    await target.stop();
    sandbox.close();
  };
  const driver = (): Driver => bsdtcp({ host: '127.0.0.1', port: target.port, user: 'backup' });
  return {
    name: 'rx-amandad as a daemon',
    target,
    driver,
    device: (size) => join(disks, String(size)),
    close,
  };
}

/** The port that it says it listens on; what it says besides is read and dropped. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    createInterface({ input: child.stderr as Readable }).on('line', (line) => {
      if (said.length < 20) said.push(line);
      const found = /listening on 127\.0\.0\.1 port (\d+)/.exec(line);
      if (found !== null) resolve(Number(found[1]));
    });
    child.on('exit', () => reject(new Error(`rx-amandad ended:\n${said.join('\n')}`)));
  });
}
