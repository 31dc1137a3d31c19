import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NEVER, concat, of, switchMap, timer } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import {
  partialReply,
  reply,
  type IncomingRequest,
  type Service,
} from '../../src/exchange/service.js';
import { parseDles } from '../../src/wire/dle/dle-parse.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { fakeEnvironment } from './fake-environment.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rx-amanda-estimate-'));
  await mkdir(join(folder, 'lab'));
});
afterEach(() => rm(folder, { recursive: true }));

const noop: Service = () =>
  of(reply({ lines: ['OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;'] }));
const answers =
  (...lines: readonly string[]): Service =>
  () =>
    of(reply({ lines }));

async function estimate(words: readonly string[], sendsize: Service) {
  const asked: Dle[] = [];
  const fake = fakeEnvironment({
    services: {
      noop,
      sendsize: (request: IncomingRequest) => {
        const text = Buffer.from(request.arguments).toString();
        asked.push(...parseDles(text.slice(text.indexOf('\n') + 1)));
        return sendsize(request);
      },
    },
  });
  const code = await main(['estimate', ...words], {
    ...fake.environment,
    installation: { directory: folder, services: '/none' },
  });
  return { code, out: fake.out(), err: fake.err(), asked };
}

describe('rx-amanda estimate', () => {
  it('prints level and size of each disk, and the time that it took of etimeout', async () => {
    const words = ['one', '--disk', '/home', '--disk', 'a b', '--level', '0', '--level', '1'];
    const { code, out, err, asked } = await estimate(
      words,
      answers(
        '/home 0 SIZE 2048',
        '/home 1 SIZE 3',
        '"a b" 0 SIZE 1300000000',
        '"a b" 1 SIZE 1048576',
      ),
    );
    expect([code, err]).toEqual([0, '']);
    expect(out.replace(/\d\.\d\d s/g, 'N s').split('\n')).toEqual([
      'one  /home      level 0    2.00 MiB  after N s',
      'one  /home      level 1    3.00 KiB  after N s',
      'one  a b        level 0    1.21 TiB  after N s',
      'one  a b        level 1    1.00 GiB  after N s',
      'Longest: one, N s, less than 1 % of the 1200 s of etimeout.',
      '1 host in N s: 1 fine.',
      '',
    ]);
    expect(asked).toMatchObject([
      { disk: '/home', program: 'GNUTAR', levels: [{ level: 0 }, { level: 1 }], spindle: -1 },
      { disk: 'a b', levels: [{ level: 0 }, { level: 1 }] },
    ]);
  });

  it('prints each disk once that has no estimate, and ends with 1', async () => {
    const { code, out } = await estimate(
      ['one', '--disk', '/a', '--disk', '/b', '--disk', '/c'],
      answers('/a 0 SIZE -1', '/a 0 ERROR "no such\tdirectory"', '/b 0 SIZE -1', '/c 0 SIZE 7'),
    );
    expect(code).toBe(1);
    expect(
      out
        .replace(/after .*/, 'after')
        .split('\n')
        .slice(0, 3),
    ).toEqual([
      'one  /a         level 0    ERROR     no such\\tdirectory',
      'one  /c         level 0    7.00 KiB  after',
      'one  /b         level 0    none      the target has no estimate',
    ]);
  });

  it('prints what came before a timeout, and how much that was', async () => {
    const slow: Service = () => concat(of(partialReply(['/a 0 SIZE 5', '/b 0 SIZE 6'])), NEVER);
    const words = ['one', '--disk', '/a', '--disk', '/b', '--disk', '/c', '--timeout', '1'];
    const { code, out } = await estimate(words, slow);
    expect(code).toBe(3);
    expect(
      out
        .replace(/after \d.*/g, 'after')
        .split('\n')
        .slice(0, 3),
    ).toEqual([
      'one  /a         level 0    5.00 KiB  after',
      'one  /b         level 0    6.00 KiB  after',
      expect.stringMatching(/^one {2}NO ANSWER {23}2 of 3 estimates came: /) as string,
    ]);
  });

  it('prints a JSON object for each estimate and each host, and the summary', async () => {
    const { out } = await estimate(['one', '--disk', '/a', '--json'], answers('/a 0 SIZE 5'));
    const documents = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    const milliseconds = expect.any(Number) as number;
    expect(documents).toEqual([
      { host: 'one', kind: 'size', disk: '/a', level: 0, kilobytes: 5, milliseconds },
      { host: 'one', kind: 'host', estimates: 1, asked: 1, milliseconds, etimeoutSeconds: 300 },
      expect.objectContaining({ kind: 'summary', fine: 1, exitCode: 0 }),
    ]);
  });

  it.each([
    [['one'], '--disk NAME is missing; --config NAME takes the disks of its disklist.'],
    [
      ['one', '--disk', '/a', '--level', '400'],
      '--level takes a whole number from 0 to 399, not "400".',
    ],
  ])('refuses the words %j with one sentence', async (words, sentence) => {
    const { code, err } = await estimate(words, answers());
    expect([code, err]).toEqual([2, `rx-amanda: ${sentence}\n`]);
  });

  it('asks for the disks of a disklist as planner does, and warns when etimeout is close', async () => {
    await writeFile(
      join(folder, 'lab', 'amanda.conf'),
      'etimeout -2\ndefine dumptype plain {\n program "GNUTAR"\n estimate calcsize\n}\n',
    );
    await writeFile(join(folder, 'lab', 'disklist'), 'one /a plain 4\n');
    const late: Service = (request) =>
      timer(1_100).pipe(switchMap(() => answers('/a 0 SIZE 5')(request)));
    const { code, out, asked } = await estimate(['--config', 'lab'], late);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^one {24,}WARNING {3}1 estimate took 1\.\d\d s, \d\d % of the 2 s of etimeout;/m,
    );
    expect(asked).toMatchObject([
      { disk: '/a', estimate: ['CALCSIZE'], spindle: 4, compress: { method: 'FAST' } },
    ]);
  });
});
