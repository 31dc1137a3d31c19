import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { of, throwError } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { reply } from '../../src/exchange/service.js';
import { AmandaError } from '../../src/wire/errors.js';
import { dumping } from '../initiator/fake-target.js';
import { fakeEnvironment, type FakeOptions } from './fake-environment.js';

const services = { noop: () => of(reply({ lines: ['OPTIONS features=ff01;'] })) };

/** An environment in which the host `gone` cannot be reached. */
function fleet(options: FakeOptions = { services }) {
  const fake = fakeEnvironment(options);
  const { driver } = fake.environment;
  const environment = {
    ...fake.environment,
    driver: (target: Parameters<typeof driver>[0]) =>
      target.host === 'gone'
        ? {
            ...driver(target),
            open: () =>
              throwError(() => new AmandaError('CONNECTION_LOST', 'There is nothing there.')),
          }
        : driver(target),
  };
  return { ...fake, environment };
}

describe('HOST:PORT', () => {
  it.each([
    ['one', { host: 'one', port: undefined }],
    ['one:7', { host: 'one', port: 7 }],
    ['10.0.0.1:7', { host: '10.0.0.1', port: 7 }],
    ['::1', { host: '::1', port: undefined }],
    ['fe80::1', { host: 'fe80::1', port: undefined }],
    ['[::1]', { host: '::1', port: undefined }],
    ['[fe80::1]:7', { host: 'fe80::1', port: 7 }],
  ])('%s is the host and the port %j', async (place, target) => {
    const fake = fleet();
    expect(await main(['noop', place], fake.environment)).toBe(0);
    expect(fake.chosen).toMatchObject([target]);
  });

  it('is told where the auth has no ports', async () => {
    const fake = fleet();
    await main(['noop', 'one:7', '--auth', 'local'], fake.environment);
    expect(fake.err()).toBe('rx-amanda: auth local has no use for the port after HOST.\n');
  });
});

describe('several hosts', () => {
  it('are all asked, each once, and have a line each', async () => {
    const fake = fleet();
    expect(await main(['noop', 'one', 'two:7', 'one'], fake.environment)).toBe(0);
    expect(fake.chosen.map(({ host, port }) => [host, port])).toEqual([
      ['one', undefined],
      ['two', 7],
    ]);
    expect(fake.out().match(/^target \(memory\) answers/gm)).toHaveLength(2);
  });

  it('are an object a line with --json, and the exit code is the highest', async () => {
    const fake = fleet();
    expect(await main(['noop', 'one', 'gone', 'two', '--json'], fake.environment)).toBe(3);
    const documents = fake
      .out()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { host: string });
    expect(documents.sort((a, b) => (a.host < b.host ? -1 : 1))).toMatchObject([
      {
        host: 'gone',
        error: { code: 'CONNECTION_LOST', message: 'There is nothing there.' },
      },
      { host: 'one', features: { count: 9 } },
      { host: 'two', features: { count: 9 } },
    ]);
  });

  it('go on when one of them fails, which is told with its name', async () => {
    const fake = fleet();
    expect(await main(['noop', 'gone', 'one'], fake.environment)).toBe(3);
    expect(fake.err()).toBe('rx-amanda: gone: There is nothing there.\n');
    expect(fake.out()).toMatch(/^target \(memory\) answers/);
  });

  it('get the same request of a service, and their replies have their names', async () => {
    const bodies: string[] = [];
    const fake = fleet({
      stdin: 'the body\n',
      services: {
        selfcheck: ({ arguments: args }) => {
          bodies.push(Buffer.from(args).toString());
          return of(reply({ lines: ['OK'] }));
        },
      },
    });
    expect(await main(['service', 'one', 'two', 'selfcheck'], fake.environment)).toBe(0);
    expect(bodies.sort()).toEqual([
      expect.stringMatching(/;hostname=one;\nthe body\n$/),
      expect.stringMatching(/;hostname=two;\nthe body\n$/),
    ]);
    expect(fake.out()).toBe('one:\nOK\ntwo:\nOK\n');
  });

  it('are dumped each into a file with its name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rx-amanda-each-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const noop = () =>
      of(reply({ lines: ['OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;'] }));
    const fake = fleet({ services: { noop, sendbackup: dumping() } });
    const words = ['dump', 'one', 'two', '/etc', '-o', join(folder, '%h.dump')];
    expect(await main(words, fake.environment)).toBe(0);
    expect((await readdir(folder)).sort()).toEqual(['one.dump', 'two.dump']);
    expect(
      fake.out().match(/^\/etc, level 0, of target \(memory\) is backed up\.$/gm),
    ).toHaveLength(2);
  });
});

describe('the name of a service', () => {
  it('is asked for as it is, and one that is almost Amanda’s is told', async () => {
    const fake = fleet({ services: { selfchek: () => of(reply({ lines: ['mine'] })) } });
    expect(await main(['service', 'one', 'selfchek'], fake.environment)).toBe(0);
    expect(fake.out()).toBe('mine\n');
    expect(fake.err()).toBe(
      'rx-amanda: Amanda has no service "selfchek". Did you mean "selfcheck"?\n',
    );
  });
});
