import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { fakeEnvironment } from '../cli/fake-environment.js';
import { dial, listen, readAll } from '../tap/ends.js';
import { root } from './packed.js';

const rxAmanda = join(root, 'dist/cli/rx-amanda/rx-amanda.js');

/** REQ noop on handle 1, with its 8-byte header. */
const REQ_NOOP = Buffer.from(
  `000000190000000100${Buffer.from('SERVICE noop\nOPTIONS ;\n\0').toString('hex')}`,
  'hex',
);
/** A kilobyte on handle 10000. */
const DATA = Buffer.concat([Buffer.from('0000040000002710', 'hex'), Buffer.alloc(1_024, 'd')]);

/** A tap in a process of its own, in a folder of its own. */
interface Running {
  readonly child: ChildProcess;
  readonly folder: string;
  /** What standard error says, as far as it has come. */
  readonly said: () => string;
  readonly saying: (what: RegExp) => Promise<string>;
  readonly over: Promise<readonly [number | null, string | null]>;
}

/** `wrapper` is what a shell does before it becomes the tap. */
async function running(wrapper: string, words: readonly string[]): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'rx-amanda-tap-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const shell = ['-c', `${wrapper} exec "$0" "$@"`, process.execPath, rxAmanda, 'tap', ...words];
  const child = spawn('/bin/sh', shell, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const over = once(child, 'close') as Promise<[number | null, string | null]>;
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const saying = async (what: RegExp): Promise<string> => {
    while (!what.test(said) && child.exitCode === null)
      await Promise.race([once(child.stderr, 'data'), over]);
    return what.exec(said)?.[1] ?? expect.fail(said);
  };
  return { child, folder, said: () => said, saying, over };
}

/** A tap with both ends of its first connection. */
async function tapped(
  wrapper: string,
  ...words: readonly string[]
): Promise<Running & { readonly initiator: Socket; readonly target: Socket }> {
  const { port, next } = await listen();
  const tap = await running(wrapper, ['0', `127.0.0.1:${port}`, ...words]);
  const accepted = next();
  const initiator = await dial(Number(await tap.saying(/port (\d+),/)));
  return { ...tap, initiator, target: await accepted };
}

/** The text that `rx-amanda draw` draws of a file, and its exit code. */
async function drawn(file: string): Promise<{ readonly code: number; readonly text: string }> {
  const { environment, out, err } = fakeEnvironment();
  const code = await main(['draw', file], environment);
  return { code, text: out() + err() };
}

describe('a tap with a page', () => {
  it('shows it for as long as it goes on, to who knows its URL', async () => {
    const { child, saying, over } = await running('', [
      '0',
      '127.0.0.1:1',
      '--web',
      '0',
      '--quiet',
    ]);
    const url = await saying(/^rx-amanda: the page is (http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/)\n/);
    const page = await fetch(url);
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/html'),
    ]);
    expect(await page.text()).toContain('<title>rx-amanda tap</title>');
    expect((await fetch(new URL('/', url))).status).toBe(401);
    child.kill('SIGINT');
    expect(await over).toEqual([0, null]);
    await expect(fetch(url)).rejects.toThrow();
  });
});

describe('a tap that is killed while it saves', () => {
  it('leaves files under their names for the time being, which can be drawn', async () => {
    const { child, folder, initiator, target, over } = await tapped(
      '',
      '--json',
      'a.jsonl',
      '--pcap',
      'a.pcap',
      '--svg',
      'a.svg',
    );
    target.resume();
    initiator.write(REQ_NOOP);
    const partial = (name: string): string => join(folder, `${name}.partial-${child.pid ?? 0}`);
    while (
      !readFileSync(partial('a.jsonl'), 'utf8').includes('REQ noop') ||
      !readFileSync(partial('a.pcap')).includes(REQ_NOOP)
    ) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    child.kill('SIGKILL');
    expect(await over).toEqual([null, 'SIGKILL']);
    expect(readdirSync(folder).toSorted()).toEqual(
      ['a.jsonl', 'a.pcap', 'a.svg'].map((name) => `${name}.partial-${child.pid ?? 0}`),
    );
    for (const name of ['a.jsonl', 'a.pcap'])
      expect((await drawn(partial(name))).text).toMatch(/noop +handle 1 /);
  });
});

describe('a tap whose disk is full', () => {
  // Of a file of 512 bytes times so many nothing more is taken; without the trap the system would
  // end the program.
  const full = "trap '' XFSZ; ulimit -f 8;";

  it.each(['--json', '--pcap'])(
    'passes on what comes, says that %s has failed, keeps what is there, and has an exit code for it',
    async (option) => {
      const { child, folder, initiator, target, said, over } = await tapped(
        full,
        '--once',
        option,
        'saved',
      );
      initiator.write(REQ_NOOP);
      await once(target.resume(), 'data');
      const received = readAll(target);
      for (let frames = 0; frames < 400; frames += 1) initiator.write(DATA);
      initiator.resume().end();
      expect((await received).text.length).toBe(400 * DATA.length);
      target.end();
      expect(await over).toEqual([1, null]);
      const left = `saved.partial-${child.pid ?? 0}`;
      expect(said().match(/Cannot write to /g)).toHaveLength(1);
      expect(said()).toContain(`What was written before is in ${left}.`);
      expect(readdirSync(folder)).toEqual([left]);
      expect(existsSync(join(folder, 'saved'))).toBe(false);
      expect((await drawn(join(folder, left))).text).toMatch(/noop +handle 1 /);
    },
  );
});
