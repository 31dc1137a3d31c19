import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { notRoot } from '../../support/skips.js';
import { startSshd, whyNoSshd, type Sshd } from '../../support/sshd.js';
import { MARK } from './processes.js';
import { Target } from './program.js';

const cli = (name: string): string =>
  fileURLToPath(new URL(`../../../dist/cli/${name}/${name}.js`, import.meta.url));

/** A way from an initiator to a target whose dump the test disturbs. */
export type Way = 'local' | 'ssh' | 'bsdtcp';

/** Where dumps are made and where they go; everything in it is gone after {@link close}. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'rx-amanda-faults-'));
  readonly #tree = join(this.folder, 'tree');
  readonly #amandad = join(this.folder, 'amandad');
  #sshd: Sshd | undefined;

  /** Why a way cannot be gone here; undefined when it can. */
  static whyNot(way: Way): string | undefined {
    return way === 'ssh' ? whyNoSshd() : way === 'bsdtcp' ? notRoot() : undefined;
  }

  /** A tree of so many MiB, and what starts a target of ours. */
  static async open(mebibytes: number): Promise<Workshop> {
    const shop = new Workshop();
    mkdirSync(shop.#tree);
    for (let file = 0; file < mebibytes; file += 1)
      writeFileSync(join(shop.#tree, `file-${file}`), Buffer.alloc(1_048_576, `${file} `));
    writeFileSync(
      shop.#amandad,
      `#!/bin/sh\nexec '${process.execPath}' '${cli('rx-amandad')}' -own ${notRoot() === undefined ? '-user=root ' : ''}"$@"\n`,
      {
        mode: 0o755,
      },
    );
    if (Workshop.whyNot('ssh') === undefined) {
      shop.#sshd = await startSshd();
      const { sshOptions = [] } = shop.#sshd.login;
      mkdirSync(join(shop.folder, 'bin'));
      writeFileSync(
        join(shop.folder, 'bin', 'ssh'),
        `#!/bin/sh\nexec /usr/bin/ssh ${sshOptions.join(' ')} "$@"\n`,
        { mode: 0o755 },
      );
    }
    return shop;
  }

  /** The words of a dump by a way, and the environment that marks all it starts. */
  command(
    way: Way,
    round: string,
    output: string,
    target?: Target,
  ): { readonly words: readonly string[]; readonly env: NodeJS.ProcessEnv } {
    const disk = way === 'bsdtcp' ? '/131072' : this.#tree;
    const words = [
      cli('rx-amanda'),
      'dump',
      way === 'local' ? 'localhost' : '127.0.0.1',
      disk,
      '-o',
      output,
      '--auth',
      way,
      '--no-config',
      '--quiet',
    ];
    const env = {
      ...process.env,
      [MARK]: round,
      PATH: `${join(this.folder, 'bin')}:${process.env['PATH'] ?? ''}`,
    };
    return { words: [...words, ...this.#reach(way, round, target)], env };
  }

  /** Starts a dump by a way. */
  dump(way: Way, round: string, output: string, target?: Target): ChildProcess {
    const { words, env } = this.command(way, round, output, target);
    return spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async close(): Promise<void> {
    await this.#sshd?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #reach(way: Way, round: string, target: Target | undefined): readonly string[] {
    if (way === 'bsdtcp') return ['--port', String(target?.port ?? 0)];
    if (way === 'local' || this.#sshd === undefined) return ['--amandad-path', this.#amandad];
    const { port, login } = this.#sshd;
    const amandad = `env ${MARK}=${round} ${this.#amandad}`;
    return [
      '--port',
      String(port),
      '--ssh-key',
      login.keyFile ?? '',
      '--client-username',
      login.clientUsername ?? '',
      '--amandad-path',
      amandad,
    ];
  }
}

/**
 * The checksum of a dump file without its header, which contains the time. Undefined when there is
 * no such file. For a tar archive it is the checksum of the files in it, because tar notes when
 * each was read.
 */
export async function contentOf(file: string, way: Way): Promise<string | undefined> {
  if (!existsSync(file)) return undefined;
  const unpack = way === 'bsdtcp' ? 'cat' : 'tar -xOf -';
  const { stdout } = await promisify(execFile)('/bin/sh', [
    '-c',
    `tail -c +32769 "$1" | ${unpack} 2>&1 | sha1sum`,
    'sh',
    file,
  ]);
  return stdout.trim();
}
