import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { of } from 'rxjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { allowed } from '../../src/access/verdict.js';
import { main } from '../../src/cli/rx-amanda/main.js';
import { driverFor } from '../../src/cli/rx-amanda/driver-for.js';
import { listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { reply, type Service } from '../../src/exchange/service.js';
import { serve } from '../../src/target/serve.js';
import { fakeEnvironment } from '../cli/fake-environment.js';
import { describeReal, openLab, programs, type Lab } from '../support/real-amanda.js';

const PLANNER = '/usr/lib/amanda/planner';

/** Runs our program as an Amanda server with the configuration of the lab. */
async function ask(lab: Lab, ...words: readonly string[]) {
  const fake = fakeEnvironment();
  const code = await main([...words, '--user', 'backup'], {
    ...fake.environment,
    installation: { directory: lab.sandbox.etc, services: '/etc/services' },
    driver: driverFor,
  });
  return { code, out: fake.out(), err: fake.err() };
}

describeReal('rx-amanda check and estimate, and the real amandad', ['amandad'], () => {
  let lab: Lab;
  let tree = '';
  let place = '';
  beforeAll(async () => {
    lab = openLab();
    tree = join(lab.sandbox.directory, 'tree');
    mkdirSync(tree);
    writeFileSync(join(tree, 'file'), Buffer.alloc(3_000_000, 'x'));
    const target = await lab.spawnTarget({
      command: programs.amandad,
      args: ['-auth=bsdtcp', 'amdump'],
    });
    place = `localhost:${target.port}`;
    lab.configure({
      auth: 'bsdtcp',
      clientPort: target.port,
      disks: [
        { name: 'plain', path: tree },
        { name: 'app', path: tree, program: 'amgtar' },
        { name: 'gone', path: join(tree, 'gone') },
      ],
    });
  });
  afterAll(() => lab.close());

  it('a disk that is in order is one line, and a missing one is another', async () => {
    const fine = await ask(lab, 'check', '--config', 'test', '--disk', 'plain', '--disk', 'app');
    expect(fine).toMatchObject({ code: 0, err: '' });
    expect(fine.out).toMatch(/^localhost {2}ok {9}2 disks, [^\n]*\n1 host in [^\n]*: 1 fine\.\n$/);
    const all = await ask(lab, 'check', '--config', 'test');
    expect(all.code).toBe(1);
    expect(all.out).toMatch(/^localhost {2}ERROR {6}.*gone.*No such file or directory$/m);
  });

  it('estimates have the sizes of the disks, and a missing one is a line', async () => {
    const { code, out, err } = await ask(lab, 'estimate', '--config', 'test', '--level', '0');
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/^localhost {2}plain {6}level 0 {4}2\.8\d MiB {2}after /m);
    expect(out).toMatch(/^localhost {2}app {8}level 0 {4}2\.8\d MiB {2}after /m);
    expect(out.match(/^localhost {2}gone .*$/gm)).toHaveLength(1);
    expect(out).toMatch(/of the 180 s of etimeout\.$/m);
  });

  it('a disk with a name that is not UTF-8 is asked about by its bytes', async () => {
    const folder = Buffer.concat([Buffer.from(`${tree}/`), Buffer.of(0xe9)]);
    mkdirSync(folder);
    writeFileSync(Buffer.concat([folder, Buffer.from('/file')]), Buffer.alloc(2_000_000, 'x'));
    const words = ['--no-config', place, '--disk', `${tree}/\udce9`];
    expect(await ask(lab, 'check', ...words)).toMatchObject({ code: 0, err: '' });
    const { code, out } = await ask(lab, 'estimate', ...words);
    expect(code).toBe(0);
    expect(out).toContain(`${tree}/\\xe9  level 0    1.91 MiB  after `);
  });
});

describeReal('the requests of check and estimate', ['amcheck', 'amdump'], () => {
  let lab: Lab;
  const asked: { readonly service: string; readonly text: string }[] = [];
  let close = (): void => undefined;
  let logs = '';

  beforeAll(async () => {
    lab = openLab();
    const record =
      (service: string, ...lines: readonly string[]): Service =>
      ({ arguments: body }) => {
        asked.push({ service, text: Buffer.from(body).toString() });
        return of(reply({ lines }));
      };
    const services = {
      noop: () =>
        of(reply({ lines: ['OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;'] })),
      selfcheck: record('selfcheck', 'OK'),
      sendsize: record('sendsize', 'plain 0 SIZE 5', 'app 0 SIZE 5', 'odd 0 SIZE 5'),
    };
    const port = await new Promise<number>((resolve, reject) => {
      const listener = listenBsdtcp({ host: '127.0.0.1', port: 0, onListening: resolve });
      const serving = serve(listener, services, { authorize: () => of(allowed) });
      const subscription = serving.subscribe({ error: reject });
      close = () => {
        subscription.unsubscribe();
      };
    });
    const configured = lab.configure({
      auth: 'bsdtcp',
      clientPort: port,
      disks: [
        { name: 'plain', path: '/etc' },
        { name: 'app', path: '/usr', program: 'amgtar' },
      ],
    });
    logs = configured.logs;
    appendFileSync(
      join(configured.directory, 'amanda.conf'),
      `
define script-tool late {
  plugin "email"
  execute-on pre-dle-amcheck, post-host-backup
  execute-where client
  property "mailto" "a@example.com" "b@example.com"
  order 7
}
define script-tool early {
  plugin "email"
  execute-on pre-dle-estimate
  order 2
}
define dumptype odd {
  by-gnutar
  compress client custom
  client-custom-compress "/bin/gzip"
  encrypt client
  client-encrypt "/usr/sbin/amcrypt"
  exclude "./a" "./b & c"
  exclude list optional append ".no"
  include file "./i"
  script "late"
  script "early"
  estimate calcsize server
  maxdumps 5
  index no
  record yes
}
`,
    );
    appendFileSync(join(configured.directory, 'disklist'), 'localhost odd /var odd 3\n');
  });
  afterAll(async () => {
    close();
    await lab.close();
  });

  /** The lines of what a service was asked, without the time of a planner. */
  const requests = (service: string) =>
    asked
      .splice(0)
      .filter((one) => one.service === service)
      .map(({ text }) => text.replace(/timestamp=\d+;/, ''));

  /** The disks of a request; Amanda has those of a host in another order. */
  const parts = (text = ''): readonly string[] => {
    const [options = '', ...dles] = text.split(/(?=<dle>)/);
    return [options, ...dles.toSorted()].map((part) => part.trim());
  };

  it('a selfcheck is that of amcheck, byte by byte', async () => {
    await lab.asBackup(programs.amcheck, ['-c', 'test']);
    const [theirs] = requests('selfcheck');
    const { code } = await ask(lab, 'check', '--config', 'test');
    expect(code).toBe(0);
    const [ours] = requests('selfcheck');
    expect(parts(theirs)).toHaveLength(4);
    expect(parts(ours)).toEqual(parts(theirs));
  });

  it('an estimate is that of planner, byte by byte', async () => {
    const log = join(logs, 'log');
    const words = ['test', '--starttime', '20300101000000', '--log-filename', log];
    await lab.asBackup(PLANNER, words);
    const [theirs] = requests('sendsize');
    await ask(lab, 'estimate', '--config', 'test');
    const [ours] = requests('sendsize');
    expect(parts(theirs)).toHaveLength(4);
    expect(parts(ours)).toEqual(parts(theirs));
  });
});
