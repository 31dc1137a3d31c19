import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { partialReply, reply } from '../../src/exchange/service.js';
import { noop } from '../../src/initiator/noop.js';
import { isProblem, selfcheck } from '../../src/initiator/selfcheck.js';
import { sendsize } from '../../src/initiator/sendsize.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { answering, call, failure } from './fake-target.js';

const dle: Dle = { program: 'GNUTAR', disk: '/home' };

describe('noop', () => {
  test('tells what the target can do', async () => {
    const [answer] = await call(
      { noop: answering(reply({ lines: ['OPTIONS features=03;'] })) },
      noop(),
    );
    expect(answer?.features.toString()).toBe('03');
  });

  test('finds nothing that a target without features can do', async () => {
    const [answer] = await call({ noop: answering(reply()) }, noop());
    expect(answer?.features.names()).toEqual([]);
  });

  test.each([
    ['ERROR no access', 'SERVICE_FAILED'],
    ['nothing here', 'BAD_REPLY'],
    ['OPTIONS features=zz;', 'BAD_FEATURES'],
  ])('fails on %j', async (line, code) => {
    expect(await failure({ noop: answering(reply({ lines: [line] })) }, noop())).toMatchObject({
      code,
    });
  });

  test('fails when the target has no such service', async () => {
    expect(await failure({}, noop())).toMatchObject({ code: 'REFUSED' });
  });
});

describe('selfcheck', () => {
  const check = (...lines: readonly string[]) =>
    call({ selfcheck: answering(reply({ lines })) }, selfcheck({ dles: [dle] }));

  test('reads the lines of old targets', async () => {
    const findings = await check(
      'OPTIONS features=ff;',
      'OK /home',
      'ERROR [no such directory]',
      'what is this',
    );
    expect(findings.map(({ severity, text }) => [severity, text])).toEqual([
      ['info', '/home'],
      ['error', '[no such directory]'],
      ['error', 'unknown answer: what is this'],
    ]);
    expect(findings.map(isProblem)).toEqual([false, true, true]);
  });

  test('reads the messages of new ones', async () => {
    const findings = await check(
      'MESSAGE JSON',
      '  {"severity" : "error", "code" : "3600004", "disk" : "/home",',
      '   "message" : "my own message"},',
      '  {"severity":"odd"}',
    );
    expect(findings).toEqual([
      {
        severity: 'error',
        text: 'my own message',
        code: 3_600_004,
        details: new Map([['disk', '/home']]),
      },
      { severity: 'error', text: 'a message without text', code: undefined, details: new Map() },
    ]);
  });

  test('reads what 3.5.1 answered', async () => {
    const recorded = readFileSync(
      new URL('../fixtures/captures/selfcheck.1.s2c.bin', import.meta.url),
    ).toString('latin1');
    const body = recorded.slice(recorded.indexOf('MESSAGE JSON'), recorded.lastIndexOf('  }') + 3);
    const findings = await check(...body.split('\n'));
    expect(findings).toHaveLength(body.split('"severity"').length - 1);
    expect(findings[0]).toMatchObject({
      severity: 'info',
      code: 3_600_000,
      text: "version '3.5.1",
    });
    expect(findings.some(isProblem)).toBe(false);
  });

  test('finds nothing in an empty reply', async () => {
    expect(await check()).toEqual([]);
  });

  test.each(['{"severity":', '[1]', '3'])('refuses the messages %j', async (json) => {
    const service = answering(reply({ lines: ['MESSAGE JSON', json] }));
    expect(await failure({ selfcheck: service }, selfcheck({ dles: [dle] }))).toMatchObject({
      code: 'BAD_REPLY',
    });
  });
});

describe('sendsize', () => {
  const odd: Dle = { program: 'GNUTAR', disk: '/a b', levels: [{ level: 0 }, { level: 1 }] };

  test('emits each estimate once, as it comes', async () => {
    const service = answering(
      {
        kind: 'partial',
        body: new Uint8Array(Buffer.from('OPTIONS features=ff;\n/home 0 SIZE 10\n"/a b" 0 SI')),
      },
      partialReply(['/home 0 SIZE 10', '"/a b" 0 SIZE 7']),
      reply({
        lines: [
          '/home 0 SIZE 10',
          '"/a b" 0 SIZE 7',
          '"/a b" 1 ERROR "no \\"such\\" directory"',
          '/home 0 WARNING "slow"',
        ],
      }),
    );
    expect(await call({ sendsize: service }, sendsize({ dles: [dle, odd] }))).toEqual([
      { kind: 'size', kilobytes: 10, disk: '/home', level: 0 },
      { kind: 'size', kilobytes: 7, disk: '/a b', level: 0 },
      { kind: 'error', text: 'no "such" directory', disk: '/a b', level: 1 },
      { kind: 'warning', text: 'slow', disk: '/home', level: 0 },
    ]);
  });

  test('has none where the target has none, or says nothing', async () => {
    const service = answering(reply({ lines: ['/home 0 SIZE -1', '"/a b" 0 SIZE 0'] }));
    expect(await call({ sendsize: service }, sendsize({ dles: [dle, odd] }))).toEqual([
      { kind: 'none', disk: '/home', level: 0 },
      { kind: 'none', disk: '/a b', level: 0 },
      { kind: 'none', disk: '/a b', level: 1 },
    ]);
  });

  test.each([
    ['/home 0', 'BAD_REPLY'],
    ['/home 0 SIZE ten', 'BAD_REPLY'],
    ['/home x SIZE 10', 'BAD_REPLY'],
    ['/home 0 SIZE 1 2', 'BAD_REPLY'],
    ['/home 1 SIZE 10', 'BAD_REPLY'],
    ['/other 0 SIZE 10', 'BAD_REPLY'],
    ['', 'no error'],
    ['ERROR total failure', 'SERVICE_FAILED'],
  ])('on the line %j: %s', async (line, code) => {
    expect(
      await failure({ sendsize: answering(reply({ lines: [line] })) }, sendsize({ dles: [dle] })),
    ).toMatchObject({ code });
  });
});
