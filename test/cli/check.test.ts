import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NEVER, of, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { reply, type IncomingRequest, type Service } from '../../src/exchange/service.js';
import { AmandaError } from '../../src/wire/errors.js';
import { parseDles } from '../../src/wire/dle/dle-parse.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { fakeEnvironment } from './fake-environment.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rx-amanda-check-'));
  await mkdir(join(folder, 'lab'));
});
afterEach(() => rm(folder, { recursive: true }));

const noop: Service = () =>
  of(reply({ lines: ['OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;'] }));
const message = (severity: string, text: string, more = {}): string =>
  JSON.stringify({ severity, message: text, ...more });
const messages = (...all: readonly string[]) =>
  of(reply({ lines: ['MESSAGE JSON', ...all.join(',\n').split('\n')] }));
const fine: Service = () => messages(message('info', 'version 3.5.1'));

/** Runs `check` where the host `gone` is not there and `mute` gives no answer. */
async function check(words: readonly string[], selfcheck: Service = fine, own: Service = noop) {
  const asked: { readonly options: string; readonly dles: readonly Dle[] }[] = [];
  const fake = fakeEnvironment({
    services: {
      noop: own,
      selfcheck: (request: IncomingRequest) => {
        const text = Buffer.from(request.arguments).toString();
        const end = text.indexOf('\n') + 1;
        asked.push({ options: text.slice(0, end).trim(), dles: parseDles(text.slice(end)) });
        return selfcheck(request);
      },
    },
  });
  const { driver } = fake.environment;
  const lost = () => throwError(() => new AmandaError('CONNECTION_LOST', 'There is nothing.'));
  const code = await main(['check', ...words], {
    ...fake.environment,
    installation: { directory: folder, services: '/none' },
    driver: (target) =>
      target.host === 'gone' ? { ...driver(target), open: lost } : driver(target),
  });
  return { code, out: fake.out(), err: fake.err(), asked, chosen: fake.chosen };
}

const dumptypes = `
  define application tar { plugin "amgtar" property "xattrs" "yes" }
  define script log { plugin "log" execute-on pre-dle-amcheck execute-where client order 6 }
  define script first { plugin "first" execute-on post-dle-amcheck order 5 }
  define dumptype plain {
    program "GNUTAR"
    compress none
    record no
    exclude list optional ".no"
    maxdumps 3
  }
  define dumptype app {
    program "APPLICATION"
    application "tar"
    script "log"
    script "first"
    index no
  }
  define dumptype skipped { plain strategy skip }
  define dumptype ignored { plain ignore yes }
`.replace(
  /\{ (.*) \}/g,
  (_, inside: string) =>
    `{\n${inside.replace(/ (property|execute-\w+|order|strategy|ignore) /g, '\n$1 ')}\n}`,
);

/** Writes a configuration with this disklist. */
async function configure(disklist: string): Promise<void> {
  await writeFile(join(folder, 'lab', 'amanda.conf'), dumptypes);
  await writeFile(join(folder, 'lab', 'disklist'), disklist);
}

describe('rx-amanda check', () => {
  it('prints a line for a host that is fine, and a summary', async () => {
    const { code, out, err } = await check(['one', '--disk', '/home']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^one {2}ok {9}1 disk, \d\.\d\d s\n1 host in \d\.\d\d s: 1 fine\.\n$/);
  });

  it('prints a line for each problem and warning, without what moves a terminal', async () => {
    const { code, out } = await check(['one', 'second'], () =>
      messages(
        message('info', 'all well'),
        message('warning', 'nearly full'),
        message('error', 'one: no\u001b[2J tar'),
        message('critical', 'no disk'),
      ),
    );
    expect(code).toBe(1);
    expect(out.split('\n').slice(0, -2).sort()).toEqual([
      'one     CRITICAL   no disk',
      'one     ERROR      no\\x1b[2J tar',
      'one     WARNING    nearly full',
      'second  CRITICAL   no disk',
      'second  ERROR      one: no\\x1b[2J tar',
      'second  WARNING    nearly full',
    ]);
    expect(out).toMatch(/^2 hosts in \d\.\d\d s: 2 with problems\.$/m);
  });

  it('calls a host with warnings only fine', async () => {
    const { code, out } = await check(['one'], () => messages(message('warning', 'nearly full')));
    expect(code).toBe(0);
    expect(out).toMatch(/^one {2}WARNING {4}nearly full\n1 host in .*: 1 fine\.\n$/);
  });

  it('prints what is in order with --all, and only problems with --quiet', async () => {
    expect((await check(['one', '--all'])).out).toMatch(
      /^one {2}ok {9}version 3\.5\.1\none {2}ok /,
    );
    expect((await check(['one', '-q'])).out).toBe('');
  });

  it('prints a JSON object a line, each with its host, and the summary last', async () => {
    const { code, out } = await check(['one', '--json'], () =>
      messages(message('error', 'no tar', { code: 3600063, disk: '/home' })),
    );
    expect(code).toBe(1);
    const documents = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(documents).toEqual([
      {
        host: 'one',
        kind: 'finding',
        severity: 'error',
        text: 'no tar',
        code: 3600063,
        details: { disk: '/home' },
      },
      { host: 'one', kind: 'host', disks: 0, milliseconds: expect.any(Number) as number },
      {
        kind: 'summary',
        fine: 0,
        withProblems: 1,
        refused: 0,
        noAnswer: 0,
        failed: 0,
        milliseconds: expect.any(Number) as number,
        exitCode: 1,
      },
    ]);
  });

  it('goes on when hosts fail, each of which is a row, and ends with 3', async () => {
    const { code, out, err } = await check(['gone', 'one']);
    expect([code, err]).toEqual([3, '']);
    expect(out).toMatch(/^gone {2}NO ANSWER {2}There is nothing\.$/m);
    expect(out).toMatch(/^one {3}ok {9}\d/m);
    expect(out).toMatch(/: 1 fine, 1 without an answer\.\n$/);
    const { out: json } = await check(['gone', '--json']);
    expect(JSON.parse(json.split('\n')[0] ?? '')).toEqual({
      host: 'gone',
      kind: 'failed',
      error: { code: 'CONNECTION_LOST', message: 'There is nothing.' },
      milliseconds: expect.any(Number) as number,
    });
  });

  it('ends with 1 when a host refuses, and shows its reason', async () => {
    const refusing: Service = Object.assign(() => NEVER, { check: () => of('access not allowed') });
    const { code, out } = await check(['one'], fine, refusing);
    expect(code).toBe(1);
    expect(out).toMatch(/^one {2}REFUSED {4}access not allowed/);
  });

  it.each([
    [['--config', 'lab', 'on'], 'The disklist of lab does not have on. Did you mean "one"?'],
    [
      ['--config', 'lab', '--disk', '/hom'],
      'No host of the disklist has a disk /hom. Did you mean "/home"?',
    ],
    [[], 'HOST is missing; --config NAME asks all hosts of its disklist.'],
    [['one', '--disk', ''], '--disk takes the name of a disk.'],
    [['one', '--parallel', '0'], '--parallel takes a whole number from 1 to 10000, not "0".'],
  ])('refuses the words %j with one sentence', async (words, sentence) => {
    await configure('one /home plain');
    const { code, err } = await check(words);
    expect([code, err]).toEqual([2, `rx-amanda: ${sentence}\n`]);
  });
});

describe('rx-amanda check --config', () => {
  it('asks every host of the disklist once, about its disks, as amcheck does', async () => {
    await configure(
      'one /home plain\ntwo /srv app\nOther /o skipped\none data /data plain\none /tmp ignored\n',
    );
    const { code, asked, chosen } = await check(['--config', 'lab']);
    expect(code).toBe(0);
    expect(chosen.map(({ host }) => host)).toEqual(['one', 'two']);
    const [one, two] = asked.toSorted((a, b) => (a.dles.length < b.dles.length ? 1 : -1));
    expect(one?.options).toMatch(/^OPTIONS features=f+\w+;maxdumps=3;hostname=one;config=lab;$/);
    expect(one?.dles).toEqual([
      {
        program: 'GNUTAR',
        disk: '/home',
        estimate: ['CLIENT'],
        auth: 'BSDTCP',
        record: false,
        index: true,
        datapath: { kind: 'AMANDA', addresses: [] },
        exclude: { files: [], lists: ['.no'], optional: true },
      },
      expect.objectContaining({ disk: 'data', diskdevice: '/data' }),
    ]);
    expect(two?.options).toContain(';maxdumps=1;hostname=two;');
    expect(two?.dles).toEqual([
      {
        program: 'APPLICATION',
        disk: '/srv',
        estimate: ['CLIENT'],
        auth: 'BSDTCP',
        compress: { method: 'FAST' },
        record: true,
        datapath: { kind: 'AMANDA', addresses: [] },
        scripts: [
          {
            plugin: 'first',
            properties: [],
            executeOn: ['POST-DLE-AMCHECK'],
            executeWhere: 'CLIENT',
          },
          { plugin: 'log', properties: [], executeOn: ['PRE-DLE-AMCHECK'], executeWhere: 'CLIENT' },
        ],
        backupProgram: { plugin: 'amgtar', properties: [{ name: 'xattrs', values: ['yes'] }] },
      },
    ]);
  });

  it('asks only the hosts and disks named', async () => {
    await configure('one /home plain\ntwo /srv plain\none /data plain\n');
    const { asked } = await check(['--config', 'lab', 'ONE', '--disk', '/data']);
    expect(asked.map(({ dles }) => dles.map(({ disk }) => disk))).toEqual([['/data']]);
    const { chosen } = await check(['--config', 'lab', '--disk', '/srv']);
    expect(chosen.map(({ host }) => host)).toEqual(['two']);
  });

  it('says of a disk that it cannot be asked about why, and asks about the others', async () => {
    await configure('one /home plain\none /bad {\n plain\n compress client custom\n}\n');
    const { code, out, asked } = await check(['--config', 'lab']);
    expect(code).toBe(1);
    expect(out).toContain(
      'one  ERROR      /bad: compress is client custom, and client-custom-compress is not set\n',
    );
    expect(asked[0]?.dles.map(({ disk }) => disk)).toEqual(['/home']);
  });

  it('says what a target does not support instead of asking it', async () => {
    await configure('one /srv app');
    const old: Service = () => of(reply({ lines: ['OPTIONS features=ffffffff0000000000000080;'] }));
    const { code, out, asked } = await check(['--config', 'lab'], fine, old);
    expect([code, asked]).toEqual([1, []]);
    expect(out).toContain('one  ERROR');
  });
});
