import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { bsdtcp, connect, request } from '../../src/index.js';
import { installRxAmandad } from '../support/rx-amandad.js';
import { openSandbox, type Sandbox, whyNoSandbox } from '../support/sandbox.js';
import { describeUnless } from '../support/skips.js';

let sandbox: Sandbox;
let program = '';
/** A folder that only root may look into. */
let secret = '';

beforeAll(() => {
  if (whyNoSandbox() !== undefined) return;
  sandbox = openSandbox();
  program = installRxAmandad(sandbox, '-own');
  secret = join(sandbox.directory, 'secret');
  mkdirSync(secret, { mode: 0o700 });
});
beforeEach(() => {
  if (sandbox === undefined) return;
  rmSync(join(sandbox.etc, 'amanda-client.conf'), { force: true });
  writeFileSync(join(secret, 'file'), 'root:x:hash\n', { mode: 0o600 });
});
afterAll(() => sandbox?.close());

/** Starts it as root; resolves with its log and what a noop is answered, or with its last words. */
async function start(...words: readonly string[]): Promise<string> {
  const all = ['-auth=bsdtcp', '-no-exit', '-tcp=0', '-listen=127.0.0.1', ...words, 'amdump'];
  const child = sandbox.start(program, all, { user: 'root', cwd: '/' });
  let said = '';
  const exit = once(child, 'exit');
  const port = await new Promise<number>((resolve, reject) => {
    child.stderr?.on('data', (text: Buffer) => {
      said += text.toString();
      const found = / port (\d+)$/m.exec(said);
      if (found !== null) resolve(Number(found[1]));
    });
    void exit.then(() => {
      reject(new Error(said));
    });
  });
  const asked = connect(bsdtcp({ host: '127.0.0.1', port, user: 'backup' })).pipe(request('noop'));
  const answer = await lastValueFrom(asked).then(
    ({ text }) => text,
    (error: unknown) => String(error),
  );
  child.kill('SIGKILL');
  await exit;
  return `${said
    .replace(/^\S+Z \d+ /gm, '')
    .replace(/^listening.*\n/m, '')
    .replace(/^request.*\n/m, '')}${answer}`;
}

const configure = (text: string): void => {
  writeFileSync(join(sandbox.etc, 'amanda-client.conf'), text);
};

describeUnless(whyNoSandbox(), 'rx-amandad started as root', () => {
  it('says the same of an included file that only root may see, whatever is there', async () => {
    const answers: string[] = [];
    for (const name of ['file', 'nothing', 'folder', 'fifo']) {
      if (name === 'folder') mkdirSync(join(secret, name));
      if (name === 'fifo') execFileSync('mkfifo', [join(secret, name)]);
      configure(`includefile "${join(secret, name)}"\n`);
      answers.push((await start()).replaceAll(name, 'NAME'));
    }
    expect(answers[0]).toContain('permission denied');
    expect(new Set(answers).size).toBe(1);
  });

  it.each(['fifo', 'folder', 'device'])('does not wait for a %s as configuration', async (kind) => {
    const file = join(sandbox.etc, 'amanda-client.conf');
    if (kind === 'fifo') execFileSync('mkfifo', ['-m', '644', file]);
    if (kind === 'folder') mkdirSync(file);
    if (kind === 'device') execFileSync('ln', ['-s', '/dev/zero', file]);
    expect(await start()).toMatch(/amanda-client\.conf: it is no regular file; .*\nOPTIONS /s);
    rmSync(file, { recursive: true });
  });

  it('cannot use a private key that only root may read', async () => {
    const key = join(secret, 'key.pem');
    writeFileSync(key, 'no key');
    chmodSync(key, 0o600);
    const files = ['cert', 'key', 'ca-cert'].map((what) => `-ssl-${what}-file=${key}`);
    const { stderr, code } = await sandbox.run(
      program,
      ['-auth=ssl', '-no-exit', '-tcp=0', '-listen=127.0.0.1', ...files, 'amdump'],
      { user: 'root' },
    );
    expect(stderr).toContain(`rx-amandad: Cannot read ${key}: EACCES: permission denied`);
    expect(code).toBe(1);
  });
});
