import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeFrame } from '../../src/wire/frame.js';
import { encodePacket, packet } from '../../src/wire/packet.js';
import { encodeText } from '../../src/wire/text.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const noop = encodeFrame({
  handle: 1,
  payload: encodePacket(packet('REQ', encodeText('SERVICE noop\nOPTIONS features=ff;\n'))),
});
const user = process.getuid?.() === 0 ? ['-user=root'] : [];

let folder: string;
let bin: string;

/** A package of its own, as it comes out of the tarball: without compiled forms. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rx-amanda-precompile-'));
  bin = join(folder, 'dist/bin');
  cpSync(join(root, 'dist/bin'), bin, {
    recursive: true,
    filter: (path) => !path.endsWith('.compiled'),
  });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function run(...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(bin, 'rx-amandad.js'), ...words],
    { input: noop, encoding: 'latin1', timeout: 60_000 },
  );
  return { status, stdout, stderr };
}

const answered = () =>
  run('-auth=local', '-own', '-no-config', ...user, 'noop').stdout.includes('OPTIONS features=');
/** Whether V8 has taken the compiled form: it says so to whoever makes the script. */
function isUsed(): boolean {
  const tell = join(folder, 'tell.cjs');
  writeFileSync(
    tell,
    `const vm = require('node:vm');
    vm.Script = class extends vm.Script {
      constructor(...words) {
        super(...words);
        require('node:fs').writeSync(2, String(this.cachedDataRejected === false));
      }
    };`,
  );
  return (
    spawnSync(process.execPath, ['--require', tell, join(bin, 'rx-amandad.js'), '--version'], {
      encoding: 'latin1',
    }).stderr === 'true'
  );
}

const forms = () => readdirSync(bin).filter((name) => !/\.(js|map|json|txt)$/.test(name));

describe('rx-amandad -precompile', () => {
  test('leaves the compiled form of each file that a noop takes, for everybody to read, and is quiet', () => {
    expect(answered()).toBe(true);
    expect(run('-precompile')).toEqual({ status: 0, stdout: '', stderr: '' });
    // Nothing that only other drivers or services take.
    expect(forms()).toEqual(['program.compiled']);
    for (const name of forms()) expect(statSync(join(bin, name)).mode & 0o777).toBe(0o644);
    expect(answered()).toBe(true);
  });

  test.each([
    ['empty', Buffer.alloc(0)],
    ['noise', Buffer.alloc(100_000, 0x5a)],
  ])('is passed over where its form is %s', (_what, form) => {
    run('-precompile');
    for (const name of forms()) writeFileSync(join(bin, name), form);
    expect(answered()).toBe(true);
  });

  test('is passed over where its form is cut off', () => {
    run('-precompile');
    writeFileSync(
      join(bin, 'program.compiled'),
      readFileSync(join(bin, 'program.compiled')).subarray(0, 50_000),
    );
    expect(answered()).toBe(true);
  });

  test('is passed over where the program is newer, also where it is as long as before', () => {
    run('-precompile');
    const program = join(bin, 'program.js');
    const text = readFileSync(program, 'utf8');
    writeFileSync(program, text.replace('Usage: rx-amandad', 'Usage: RX-AMANDAD'));
    expect(run('--help').stdout).toMatch(/^Usage: RX-AMANDAD/);
  });

  test('is passed over where it is of another program as long as this one, whatever their times', () => {
    run('-precompile');
    const program = join(bin, 'program.js');
    const text = readFileSync(program, 'latin1').replace('Usage: rx-amandad', 'Usage: RX-AMANDAD');
    writeFileSync(program, `${text.slice(0, -64)}${'0'.repeat(64)}`);
    utimesSync(program, 0, 0);
    expect(run('--help').stdout).toMatch(/^Usage: RX-AMANDAD/);
  });

  test('is used after its owner and mode have changed', () => {
    run('-precompile');
    const [form = ''] = forms();
    writeFileSync(join(bin, form), readFileSync(join(bin, form)));
    chmodSync(join(bin, 'program.js'), 0o755);
    expect(isUsed()).toBe(true);
    writeFileSync(join(bin, 'program.js'), readFileSync(join(bin, 'program.js')));
    expect(isUsed()).toBe(false);
  });

  test('is of files that import nothing, which V8 cannot do for them', () => {
    const files = readdirSync(bin).filter((name) => name.endsWith('.js'));
    expect(files).toContain('sendbackup.js');
    for (const name of files)
      expect(readFileSync(join(bin, name), 'latin1')).not.toMatch(/\bimport\(/);
  });

  test('says what a program says that does not get as far as answering', () => {
    writeFileSync(join(bin, 'program.js'), 'throw new Error("it is broken")');
    const { status, stderr } = run('-precompile');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^rx-amandad: no compiled form was made: .*it is broken/);
    expect(forms()).toEqual([]);
  });

  test('says what is in its way, and ends with 1', () => {
    mkdirSync(join(bin, 'program.compiled.new'));
    const { status, stderr } = run('-precompile');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^rx-amandad: no compiled form was made: EISDIR/);
    expect(answered()).toBe(true);
  });
});
