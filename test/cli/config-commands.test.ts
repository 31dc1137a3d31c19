import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { reply, type IncomingRequest, type Service } from '../../src/exchange/service.js';
import { dumping, says } from '../initiator/fake-target.js';
import { fakeEnvironment, type Fake } from './fake-environment.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rx-amanda-configured-'));
});
afterEach(() => rm(folder, { recursive: true }));

const noop: Service = () =>
  of(reply({ lines: ['OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;'] }));

/** A process environment with this configuration. */
async function configured(
  files: Readonly<Record<string, string>>,
  services: Readonly<Record<string, Service>> = { noop },
): Promise<Fake> {
  await mkdir(join(folder, 'etc', 'lab'), { recursive: true });
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, 'etc', name), text);
  await writeFile(join(folder, 'services'), 'amanda 10080/tcp\nours 4321/tcp\nours 4322/udp\n');
  const fake = fakeEnvironment({ services });
  return {
    ...fake,
    environment: {
      ...fake.environment,
      installation: { directory: join(folder, 'etc'), services: join(folder, 'services') },
    },
  };
}

const client =
  'auth "SSH"\nclient-port "ours"\nclient-username "me"\namandad-path "/a"\nssh-keys "/k"\nssl-dir "/s"\nreq-tries 4\nctimeout 5\n';

describe('a command without options for it', () => {
  it('reaches the target as amanda-client.conf says', async () => {
    const fake = await configured({ 'amanda-client.conf': client });
    expect(await main(['noop', 'one'], fake.environment)).toBe(0);
    expect(fake.chosen).toMatchObject([
      {
        auth: 'ssh',
        port: 4321,
        clientUsername: 'me',
        amandadPath: '/a',
        sshKey: '/k',
        sslDir: '/s',
        settings: { 'req-tries': { value: 4 }, ctimeout: { value: 5 } },
      },
    ]);
    expect(fake.err()).toBe('');
  });

  it('is overridden by options, one by one', async () => {
    const fake = await configured({ 'amanda-client.conf': client });
    await main(['noop', 'one', '--client-username', 'you', '--port', '7'], fake.environment);
    await main(['noop', 'one', '-o', 'client_port=5', '-o', 'ssh-keys='], fake.environment);
    expect(fake.chosen).toMatchObject([
      { auth: 'ssh', port: 7, clientUsername: 'you' },
      { auth: 'ssh', port: 5, clientUsername: 'me', sshKey: undefined },
    ]);
  });

  it('takes the name of a service for a port, over the protocol of the auth, with and without a configuration', async () => {
    const fake = await configured({});
    await main(['noop', 'one', '--port', 'ours'], fake.environment);
    await main(['noop', 'one', '--port', 'ours', '--auth', 'BSD', '--no-config'], fake.environment);
    await main(['noop', 'one', '--port', 'amanda', '--auth', 'bsdudp'], fake.environment);
    expect(fake.chosen).toMatchObject([{ port: 4321 }, { port: 4322 }, { port: 10_080 }]);
    expect(await main(['noop', 'one', '--port', 'yours'], fake.environment)).toBe(2);
    expect(fake.err()).toMatch(
      /^rx-amanda: --port takes .*; there is no "yours" over tcp in \/etc\/services\.\n/,
    );
  });

  it('does not take the port of one auth for another', async () => {
    const fake = await configured({ 'amanda-client.conf': client });
    await main(['noop', 'one', '--auth', 'bsdtcp', '--debug'], fake.environment);
    expect(fake.chosen).toMatchObject([{ auth: 'bsdtcp', port: undefined }]);
    expect(fake.err()).toContain('config: its client-port is that of auth ssh, not used\n');
  });

  it('uses Amanda’s port over ssl, as Amanda does without another one', async () => {
    const fake = await configured({ 'amanda-client.conf': 'auth "ssl"' });
    await main(['noop', 'one'], fake.environment);
    await main(['noop', 'one', '--no-config', '--auth', 'ssl'], fake.environment);
    expect(fake.chosen).toMatchObject([{ port: 10_080 }, { port: undefined }]);
  });

  it('looks up the port of datagrams among those of UDP, and takes a port of one digit at its word', async () => {
    const fake = await configured({ 'amanda-client.conf': 'auth "bsdudp"\nclient-port "ours"' });
    await main(['noop', 'one'], fake.environment);
    await main(['noop', 'one', '-o', 'client-port=9'], fake.environment);
    expect(fake.chosen).toMatchObject([{ port: 4322 }, { port: 9 }]);
  });

  it('reads nothing with --no-config', async () => {
    const fake = await configured({ 'amanda-client.conf': 'nonsense "' });
    expect(await main(['noop', 'one', '--no-config'], fake.environment)).toBe(0);
    expect(fake.chosen).toMatchObject([{ host: 'one', auth: 'bsdtcp' }]);
    expect(fake.chosen[0]?.settings).toBeUndefined();
  });

  it('ends with exit code 2 and the place of the mistake when the configuration is wrong', async () => {
    const fake = await configured({ 'amanda-client.conf': '\nauth "sssh"' });
    expect(await main(['noop', 'one', '--json'], fake.environment)).toBe(2);
    expect(JSON.parse(fake.out())).toMatchObject({
      error: {
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(
          /amanda-client\.conf line 2: there is no auth "sssh"; Amanda has bsd /,
        ) as string,
      },
    });
    expect(fake.chosen).toEqual([]);
  });
});

describe('--config', () => {
  const lab = {
    'lab/amanda.conf': 'dtimeout 60\ndefine dumptype d {\n  auth "ssl"\n  client-port 10090\n}',
    'lab/disklist': 'one data "/srv/data" d',
  };

  it('reaches the target as the disklist says, and says by which entry with --debug', async () => {
    const fake = await configured({ ...lab, 'amanda-client.conf': client });
    expect(await main(['noop', 'one', '--config', 'lab', '--debug'], fake.environment)).toBe(0);
    expect(fake.chosen).toMatchObject([{ auth: 'ssl', port: 10_090, clientUsername: undefined }]);
    expect(fake.err()).toMatch(
      /^config: .*\/lab\/disklist line 1: one data with dumptype d says how it is reached$/m,
    );
  });

  it('is sent to a service’s target, too', async () => {
    const asked: IncomingRequest[] = [];
    const service: Service = (request) => {
      asked.push(request);
      return of(reply());
    };
    const fake = await configured(lab, { selfcheck: service });
    await main(['service', 'one', 'selfcheck', '--config', 'lab'], fake.environment);
    expect(Buffer.from(asked[0]?.arguments ?? []).toString()).toContain(';config=lab;');
    expect(fake.chosen).toMatchObject([{ auth: 'ssl' }]);
  });

  it('gives a dump the device of its disk, unless another is named', async () => {
    const asked: string[] = [];
    const sendbackup: Service = (request) => {
      asked.push(
        /<diskdevice>.*<\/diskdevice>/.exec(Buffer.from(request.arguments).toString())?.[0] ?? '',
      );
      return dumping()(request);
    };
    const fake = await configured(lab, { noop, sendbackup });
    const dump = (...words: readonly string[]) =>
      main(
        ['dump', 'one', ...words, '--config', 'lab', '-q', '--force', '-o', join(folder, 'image')],
        fake.environment,
      );
    expect([
      await dump('data'),
      await dump('data', '--device', '/other'),
      await dump('/etc'),
    ]).toEqual([0, 0, 0]);
    expect(asked).toEqual([
      '<diskdevice>/srv/data</diskdevice>',
      '<diskdevice>/other</diskdevice>',
      '',
    ]);
  });
});

describe('rx-amanda dump --index-file and --state-file', () => {
  const run = async (sendbackup: Service, ...words: readonly string[]) => {
    const fake = await configured({}, { noop, sendbackup });
    const code = await main(['dump', 'one', '/home', ...words], fake.environment);
    return {
      code,
      err: fake.err(),
      files: (await readdir(folder)).filter((name) => !['etc', 'services'].includes(name)).sort(),
    };
  };
  const at = (name: string): string => join(folder, name);
  const all = ['-q', '-o', '', '--index-file', '', '--state-file', ''];
  const named = () =>
    all.map((word, index) =>
      word === '' ? at(['image', 'index', 'state'][(index - 2) / 2] ?? '') : word,
    );

  it('keep both as they came, beside the dump or beside standard output', async () => {
    const service = dumping({ STATE: says('0 /\n', '2 /b/\n') });
    expect(await run(service, ...named())).toEqual({
      code: 0,
      err: '',
      files: ['image', 'index', 'state'],
    });
    expect(await readFile(at('index'), 'utf8')).toBe('/\n/b/\n/one\n');
    expect(await readFile(at('state'), 'utf8')).toBe('0 /\n2 /b/\n');
    expect(await run(service, '-q', '-o', '-', '--index-file', at('index2'))).toMatchObject({
      code: 0,
      files: ['image', 'index', 'index2', 'state'],
    });
  });

  it('leave no file when the dump is not whole', async () => {
    for (const broken of [
      dumping({ DATA: says('Hello, dumb!') }),
      dumping({ MESG: says('sendbackup: info end\nsendbackup: error [no]\n') }),
    ])
      expect(await run(broken, ...named())).toMatchObject({ code: 1, files: [] });
  });

  it('leave no file of a stream that the target did not open, and say so', async () => {
    const { code, err, files } = await run(dumping({ STATE: undefined }), ...named().slice(1));
    expect([code, files]).toEqual([0, ['image', 'index']]);
    expect(err).toContain(`rx-amanda: the target sent no state, so there is no ${at('state')}.\n`);
  });

  it('replace a file only with --force, and ask the target for nothing before that is clear', async () => {
    await writeFile(at('index'), 'precious');
    let asked = 0;
    const service: Service = (request) => {
      asked += 1;
      return dumping()(request);
    };
    expect(await run(service, ...named())).toMatchObject({ code: 1, files: ['index'] });
    expect([await readFile(at('index'), 'utf8'), asked]).toEqual(['precious', 0]);
    expect(await run(service, ...named(), '--force')).toMatchObject({
      code: 0,
      files: ['image', 'index', 'state'],
    });
    expect(await readFile(at('index'), 'utf8')).toBe('/\n/b/\n/one\n');
  });

  it.each([
    [['--index-file', '-'], '--index-file and --state-file each take the name of a file.'],
    [['--state-file', ''], '--index-file and --state-file each take the name of a file.'],
    [['--index-file', 'x', '--no-index'], '--index-file and --no-index cannot be combined.'],
    [
      ['--index-file', './image'],
      'The dump, its index and its state each need a file of their own.',
    ],
    [
      ['--index-file', 'a/../b', '--state-file', 'b'],
      'The dump, its index and its state each need a file of their own.',
    ],
  ])('are refused as %j', async (words, message) => {
    expect(await run(dumping(), '-o', 'image', ...words)).toEqual({
      code: 2,
      err: `rx-amanda: ${message}\n`,
      files: [],
    });
  });
});
